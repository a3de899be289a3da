// Makes the reference's tables look like an earlier release's: drops the columns, constraints,
// indexes and the trigger that its init() adds to older schemas.

const LATER = {
  mastra_agents: ['status', 'authorId', 'visibility', 'favoriteCount'],
  mastra_agent_versions: ['mcpClients', 'requestContextSchema', 'workspace', 'skills', 'skillsFormat', 'durable', 'browser', 'toolProviders'],
  mastra_background_tasks: ['suspend_payload'],
  mastra_datasets: ['requestContextSchema', 'tags', 'targetType', 'targetIds', 'scorerIds', 'organizationId', 'projectId', 'candidateKey', 'candidateId'],
  mastra_dataset_items: ['requestContext', 'source', 'expectedTrajectory', 'organizationId', 'projectId', 'toolMocks', 'unmockedToolPolicy', 'scorerIds', 'externalId'],
  mastra_experiments: ['agentVersion', 'organizationId', 'projectId', 'provenance', 'runnerAttestation', 'experimentSetId', 'comparisonId', 'variantId', 'trialIndex', 'scorerIds'],
  mastra_experiment_results: ['status', 'tags', 'comment', 'toolMockReport', 'metadata', 'organizationId', 'projectId', 'attempt'],
  mastra_knowledge_nodes: ['description'],
  mastra_messages: ['resourceId'],
  mastra_observational_memory: ['observedMessageIds', 'observedTimezone', 'bufferedObservations', 'bufferedObservationTokens', 'bufferedMessageIds',
    'bufferedReflection', 'bufferedReflectionTokens', 'bufferedReflectionInputTokens', 'reflectedObservationLineCount', 'bufferedObservationChunks',
    'isBufferingObservation', 'isBufferingReflection', 'lastBufferedAtTokens', 'metadata'],
  mastra_prompt_block_versions: ['requestContextSchema'],
  mastra_scorers: ['spanId', 'requestContext', 'organizationId', 'projectId', 'batchId', 'datasetId', 'datasetItemId'],
  mastra_scorer_definitions: ['organizationId', 'projectId'],
  mastra_skills: ['visibility', 'favoriteCount'],
  mastra_skill_versions: ['files'],
  mastra_workflow_definitions: ['schedule'],
  mastra_workflow_snapshot: ['resourceId'],
  mastra_ai_spans: ['isEvent', 'parentSpanId', 'entityType', 'userId', 'threadId', 'scope', 'metadata', 'tags', 'error', 'requestContext'],
};

// keepTimestamps: keeps the timestamps without a time zone and drops only those with one.
export async function makeOld(client, { keepTimestamps = false } = {}) {
  const { rows } = await client.query(`SELECT table_name AS name, column_name AS column, data_type LIKE 'timestamp%' AS time
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name LIKE 'mastra%' ORDER BY table_name, ordinal_position`);
  await client.query(`ALTER TABLE mastra_workflow_snapshot REPLICA IDENTITY DEFAULT;
    ALTER TABLE mastra_workflow_snapshot DROP CONSTRAINT public_mastra_workflow_snapshot_workflow_name_run_id_key;
    ALTER TABLE mastra_ai_spans DROP CONSTRAINT public_mastra_ai_spans_traceid_spanid_pk;
    DROP TRIGGER mastra_ai_spans_timestamps ON mastra_ai_spans; DROP FUNCTION trigger_set_timestamps()`);
  const { rows: indexes } = await client.query(`SELECT indexname AS name FROM pg_indexes WHERE schemaname = 'public' AND indexname !~ '_pkey$'`);
  for (const { name } of indexes) await client.query(`DROP INDEX "${name}"`);
  for (const { name, column, time } of rows) {
    if (LATER[name]?.includes(column) || (time && (!keepTimestamps || column.endsWith('Z')))) await client.query(`ALTER TABLE "${name}" DROP COLUMN "${column}"`);
  }
  await client.query('CREATE INDEX idx_experiment_results_exp_item ON mastra_experiment_results ("experimentId", "itemId")');
}
