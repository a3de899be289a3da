/* detached_read.c - moves a decoded read from its lane's batch to the queue of detached reads */
#include "worker/engine/detached_read.h"

#include <stdlib.h>

#include "schemas/base/alloc.h"
#include "worker/lanes/queue.h"

struct detached_work {
	const struct engine *engine;
	struct job job;
};

static void detached_work_free(void *arg)
{
	struct detached_work *work = arg;
	lanes_released(work->engine->lanes, message_bytes(work->job.message));
	rd_kafka_message_destroy(work->job.message);
	arena_free(work->job.arena);
	free(work);
}

void detached_read_start(const struct engine *engine, struct batch *batch, struct job *job)
{
	const struct batch_lane *part = &batch->lanes[job->lane_place];
	struct detached_work *work = alloc_zero(1, sizeof(*work));
	struct detached_read *read = alloc_zero(1, sizeof(*read));
	*work = (struct detached_work){ .engine = engine, .job = *job };
	work->job.disposition = DISPOSITION_PENDING;
	work->job.lane_place = 0;
	*read = (struct detached_read){
		.lane = part->lane,
		.generation = part->start.generation,
		.offset = job->message->offset,
		.work = work,
		.free_work = detached_work_free,
	};
	batch->held -= message_bytes(job->message); /* until detached_work_free */
	job->message = NULL;
	job->arena = NULL;
	lane_ref(engine->lanes, part->lane);
	lanes_detach_read(engine->lanes, read);
}

const struct job *detached_read_job(const struct detached_read *read)
{
	const struct detached_work *work = read->work;
	return &work->job;
}
