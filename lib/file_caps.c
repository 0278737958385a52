/* File capabilities as bytes. */
#include "lib/file_caps.h"
#include "lib/string.h"

#define KNOWN (BIT(CAP_LAST_CAP + 1) - 1)

static uint64_t both_words(uint32_t low, uint32_t high)
{
	return ((uint64_t)high << 32 | low) & KNOWN;
}

int file_caps_parse(const void *value, size_t n, struct file_caps *ret)
{
	struct vfs_ns_cap_data d = { 0 };

	if (n != XATTR_CAPS_SZ_2 && n != XATTR_CAPS_SZ_3)
		return -EINVAL;
	memcpy(&d, value, n);
	uint32_t version = n == XATTR_CAPS_SZ_2 ? VFS_CAP_REVISION_2 : VFS_CAP_REVISION_3;
	if ((d.magic_etc & VFS_CAP_REVISION_MASK) != version)
		return -EINVAL;
	*ret = (struct file_caps){
		.permitted = both_words(d.data[0].permitted, d.data[1].permitted),
		.inheritable = both_words(d.data[0].inheritable, d.data[1].inheritable),
		.effective = d.magic_etc & VFS_CAP_FLAGS_EFFECTIVE,
		.rootid = d.rootid,
	};
	return 0;
}

bool file_caps_settable(const void *value, size_t n)
{
	struct file_caps caps;
	uint32_t magic;

	if (file_caps_parse(value, n, &caps))
		return false;
	memcpy(&magic, value, sizeof(magic));
	magic &= ~(VFS_CAP_REVISION_MASK | VFS_CAP_FLAGS_EFFECTIVE);
	return !magic && caps.rootid != UINT32_MAX;
}

int64_t file_caps_shown(const void *value, size_t n, void *ret)
{
	struct file_caps caps;
	struct vfs_cap_data d;

	int err = file_caps_parse(value, n, &caps);
	if (err)
		return err;
	memcpy(ret, value, n);
	if (n == XATTR_CAPS_SZ_2 || caps.rootid)
		return (int64_t)n;
	memcpy(&d, value, sizeof(d));
	d.magic_etc = VFS_CAP_REVISION_2 | (d.magic_etc & VFS_CAP_FLAGS_EFFECTIVE);
	memcpy(ret, &d, sizeof(d));
	return sizeof(d);
}
