/* Random numbers in the form of RFC 4122. */
#include "proc/boot_id.h"

#include "core/wait.h"
#include "sec/entropy.h"

static struct mutex lock = MUTEX_INIT(lock, RANK_PIPE);
static uint8_t boot_id[BOOT_ID_SIZE]; /* [lock] until it is made */
static bool is_made;		      /* [lock] */

void uuid_make(uint8_t ret[BOOT_ID_SIZE])
{
	entropy_get(ret, BOOT_ID_SIZE);
	ret[6] = (ret[6] & 0x0f) | 0x40;
	ret[8] = (ret[8] & 0x3f) | 0x80;
}

const uint8_t *boot_id_get(void)
{
	mutex_lock(&lock);
	if (!is_made)
		uuid_make(boot_id);
	is_made = true;
	mutex_unlock(&lock);
	return boot_id;
}
