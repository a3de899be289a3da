/* span_types.c - the list of Mastra's span types */
#include "handlers/core/span_types.h"

#include <stddef.h>

const char *const span_types[] = { "agent_run", "scorer_run", "classifier_evaluation",
	"scorer_step", "generic", "model_generation", "model_step", "model_inference",
	"model_chunk", "mcp_tool_call", "mcp_server_request", "processor_run", "tool_call",
	"client_tool_call", "provider_tool_call", "workflow_run", "workflow_step",
	"workflow_conditional", "workflow_conditional_eval", "workflow_parallel", "workflow_loop",
	"workflow_sleep", "workflow_wait_event", "memory_operation", "workspace_action",
	"rag_ingestion", "rag_embedding", "rag_vector_operation", "rag_action", "graph_action",
	"mapping", "skill_resolution", "skill_action", "agent_signal", NULL };
