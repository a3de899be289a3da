// A language model and an embedder that need no network, and always answer the same to the same.

const usage = { inputTokens: 10, outputTokens: 5, totalTokens: 15 };

// The last thing that the user said.
function lastOf(prompt) {
  const { content } = prompt.filter(({ role }) => role === 'user').at(-1);
  return typeof content === 'string' ? content : content.map(({ text }) => text ?? '').join('');
}

// Asked to remember, it calls the tool for working memory first.
function answer({ prompt, tools = [] }) {
  const wantsTool = /remember/.test(lastOf(prompt)) && tools.some(({ name }) => name === 'updateWorkingMemory') && prompt.at(-1).role !== 'tool';
  if (!wantsTool) return { content: [{ type: 'text', text: `You said: ${lastOf(prompt)}` }], finishReason: 'stop' };
  const input = JSON.stringify({ memory: '# Traveller\n- Name: Alice' });
  return { content: [{ type: 'tool-call', toolCallId: 'call-1', toolName: 'updateWorkingMemory', input }], finishReason: 'tool-calls' };
}

function* parts({ content: [part], finishReason }) {
  yield { type: 'stream-start', warnings: [] };
  if (part.type === 'text') {
    yield { type: 'text-start', id: 't' };
    for (const word of part.text.split(/(?<= )/)) yield { type: 'text-delta', id: 't', delta: word };
    yield { type: 'text-end', id: 't' };
  } else {
    yield part;
  }
  yield { type: 'finish', finishReason, usage };
}

export const model = {
  specificationVersion: 'v2',
  provider: 'fake',
  modelId: 'fake-model',
  supportedUrls: {},
  doGenerate: async (options) => ({ ...answer(options), usage, warnings: [] }),
  doStream: async (options) => ({ stream: ReadableStream.from(parts(answer(options))) }),
};

// Eight numbers from the letters: equal texts are equal, similar ones are near.
function embed(text) {
  const vector = Array(8).fill(0.01);
  for (const letter of text.toLowerCase()) vector[letter.charCodeAt(0) % 8]++;
  const length = Math.hypot(...vector);
  return vector.map((number) => number / length);
}

export const embedder = {
  specificationVersion: 'v2',
  provider: 'fake',
  modelId: 'fake-embedder',
  maxEmbeddingsPerCall: 100,
  supportsParallelCalls: true,
  doEmbed: async ({ values }) => ({ embeddings: values.map(embed), usage: { tokens: 1 } }),
};
