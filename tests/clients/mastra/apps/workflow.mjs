// An application: a workflow that stops for a person's answer, and goes on in another process.
//
//   node workflow.mjs start RUN        begins the run; prints its status
//   node workflow.mjs resume RUN YES   answers, and prints the result
//
// Which storage it uses is the one line below.
import { Mastra } from '@mastra/core';
import { createStep, createWorkflow } from '@mastra/core/workflows';
import { z } from 'zod';
import { storage } from './storage.mjs';

const [action, runId, answer] = process.argv.slice(2);

const quote = createStep({
  id: 'quote',
  inputSchema: z.object({ days: z.number() }),
  outputSchema: z.object({ price: z.number() }),
  execute: async ({ inputData }) => ({ price: inputData.days * 100 }),
});
const approve = createStep({
  id: 'approve',
  inputSchema: z.object({ price: z.number() }),
  resumeSchema: z.object({ isApproved: z.boolean() }),
  suspendSchema: z.object({ question: z.string() }),
  outputSchema: z.object({ booked: z.boolean(), price: z.number() }),
  execute: async ({ inputData, resumeData, suspend }) => {
    if (!resumeData) return suspend({ question: `Pay ${inputData.price}?` });
    return { booked: resumeData.isApproved, price: inputData.price };
  },
});
const trip = createWorkflow({ id: 'trip', inputSchema: z.object({ days: z.number() }), outputSchema: z.object({ booked: z.boolean(), price: z.number() }) })
  .then(quote)
  .then(approve)
  .commit();

const mastra = new Mastra({ workflows: { trip }, storage, logger: false });
const run = await mastra.getWorkflow('trip').createRun({ runId });
const result = action === 'start'
  ? await run.start({ inputData: { days: 3 } })
  : await run.resume({ step: 'approve', resumeData: { isApproved: answer === 'yes' } });
console.log(JSON.stringify({ status: result.status, result: result.result, suspended: result.suspended }));
await storage.close();
