// The seven domains whose entities have versions.

const json = (word) => ({ [word]: { list: [1, null, 'x'], deep: { a: true } } });

// Each domain: its words, a version's required fields, and all of its fields.
export const DOMAINS = {
  agents: { one: 'agent', parent: 'agentId', table: 'agent', least: { name: 'n', instructions: 'do', model: { provider: 'p', name: 'm' } },
    full: { description: 'd', instructions: [{ type: 'text', content: 'a' }, { type: 'text', content: '[b]' }], tools: json('t'), defaultOptions: json('o'),
      workflows: json('w'), agents: json('a'), integrationTools: json('i'), toolProviders: json('p'), inputProcessors: json('in'),
      outputProcessors: json('out'), memory: json('m'), scorers: json('s'), mcpClients: json('c'), requestContextSchema: json('r'),
      workspace: json('ws'), skills: json('sk'), skillsFormat: 'xml', durable: json('du'), browser: json('br') },
    entity: { visibility: 'public', metadata: { m: 1, n: { o: 1 } } } },
  promptBlocks: { one: 'promptBlock', parent: 'blockId', table: 'prompt_block', least: { name: 'n', content: 'c' },
    full: { description: 'd', rules: json('r'), requestContextSchema: json('s') }, entity: { metadata: { m: 1, n: { o: 1 } } } },
  scorerDefinitions: { one: 'scorerDefinition', parent: 'scorerDefinitionId', table: 'scorer_definition', least: { name: 'n', type: 'llm-judge' },
    full: { description: 'd', model: json('m'), instructions: 'i', scoreRange: { min: 0, max: 1 }, presetConfig: json('p'), defaultSampling: json('s') },
    entity: { metadata: { m: 1, n: { o: 1 } }, organizationId: 'o', projectId: 'p' } },
  mcpClients: { one: 'mcpClient', parent: 'mcpClientId', table: 'mcp_client', least: { name: 'n', servers: json('s') },
    full: { description: 'd' }, entity: { metadata: { m: 1, n: { o: 1 } } } },
  mcpServers: { one: 'mcpServer', parent: 'mcpServerId', table: 'mcp_server', least: { name: 'n', version: '1.0' },
    full: { description: 'd', instructions: 'i', repository: json('r'), releaseDate: '2024-01-01', isLatest: true, packageCanonical: 'npm',
      tools: json('t'), agents: json('a'), workflows: json('w') }, entity: { metadata: { m: 1, n: { o: 1 } } } },
  workspaces: { one: 'workspace', parent: 'workspaceId', table: 'workspace', least: { name: 'n' },
    full: { description: 'd', filesystem: json('f'), sandbox: json('s'), mounts: json('m'), search: json('se'), skills: ['a'], tools: json('t'),
      autoSync: true, operationTimeout: 5000 }, entity: { metadata: { m: 1, n: { o: 1 } } }, revised: true },
  skills: { one: 'skill', parent: 'skillId', table: 'skill', least: { name: 'n', description: 'd', instructions: 'i' },
    full: { license: 'MIT', compatibility: json('c'), source: json('s'), references: ['r'], scripts: ['s'], assets: ['a'], files: json('f'),
      metadata: json('m'), tree: json('t') }, entity: { visibility: 'public' }, revised: true },
};

// The reference keeps the order in which the fields of an agent were given; Stowage has its own.
export const ordered = (fields) => {
  const first = ['id', 'name', 'description', 'instructions', 'model'];
  const rank = (name) => (first.indexOf(name) + 1 || first.length + 1);
  return Object.fromEntries(Object.entries(fields).sort(([a], [b]) => rank(a) - rank(b)));
};
