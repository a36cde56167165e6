/*
 * crc32c.h - the Castagnoli checksum, for what is written to disk.
 */
#ifndef SHARED_CRC32C_H
#define SHARED_CRC32C_H

#include <stdint.h>

#include "shared/str.h"

/*
 * The checksum of `bytes`, going on from `crc`: 0 at the start, else what the
 * call for the bytes before it returned.
 */
uint32_t rx_crc32c(uint32_t crc, rx_str bytes);

/* As above without the processor's instruction: what tests compare with. */
uint32_t rx_crc32c_portable(uint32_t crc, rx_str bytes);

#endif
