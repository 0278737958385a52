/* Reading a file out of an image. */
#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <stdlib.h>

#include "host/rootfs/image.h"

static errcode_t file_read(ext2_filsys fs, const char *path, uint8_t **ret_bytes,
			   size_t *ret_size)
{
	struct ext2_inode inode;
	ext2_file_t file;
	ext2_ino_t number;
	uint64_t size;
	unsigned got = 0;
	uint8_t *bytes;
	errcode_t error = ext2fs_namei(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, path, &number);

	if (!error)
		error = ext2fs_read_inode(fs, number, &inode);
	if (error)
		return error;
	size = EXT2_I_SIZE(&inode);
	if (!LINUX_S_ISREG(inode.i_mode) || !size || size > MIB(64))
		return EXT2_ET_FILE_NOT_FOUND;
	error = ext2fs_file_open(fs, number, 0, &file);
	if (error)
		return error;
	bytes = must_alloc(size);
	error = ext2fs_file_read(file, bytes, size, &got);
	ext2fs_file_close(file);
	if (error || got != size) {
		free(bytes);
		return EXT2_ET_SHORT_READ;
	}
	*ret_bytes = bytes;
	*ret_size = size;
	return 0;
}

int image_file_read(const char *image, const char *path, uint8_t **ret_bytes,
		    size_t *ret_size)
{
	ext2_filsys fs;
	errcode_t error =
		ext2fs_open(image, EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &fs);

	if (error)
		return -EIO;
	error = file_read(fs, path, ret_bytes, ret_size);
	ext2fs_free(fs);
	return error ? -EIO : 0;
}
