/*
 * decompression.h - bounds what a producer's batch may decompress to
 *
 * librdkafka decompresses a whole batch before anyone sees its messages: 1 MB of gzip may become 1 GB. So the
 * linker sends librdkafka's calls of zlib, lz4 and zstd through decompression.c (--wrap, in CMakeLists.txt).
 * A batch beyond the limit is an error of its partition (RD_KAFKA_RESP_ERR__BAD_COMPRESSION). Snappy has no
 * limit here: it makes a batch 21 times as large at most.
 *
 * Sources: rdgz.c, rdkafka_lz4.c and rdkafka_zstd.c of librdkafka; the manuals of zlib, lz4frame and zstd.
 */
#ifndef WORKER_DECOMPRESSION_DECOMPRESSION_H
#define WORKER_DECOMPRESSION_DECOMPRESSION_H

#include <stddef.h>

/* Sets the limit in bytes, for the whole process; without a call there is none. Any thread. */
void decompression_limit(size_t bytes);

#endif
