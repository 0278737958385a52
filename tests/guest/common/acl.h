/*
 * Access control lists as text: "u:rw- u1001:r-- g:r-- g2001:--- m:rw- o:---" is what
 * setxattr(2) gets, and what getxattr(2) gave, entry by entry.
 */
#ifndef GUEST_ACL_H
#define GUEST_ACL_H

#include <errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"
#define ACL_TEXT_MAX 1024
#define ACL_ENTRIES_MAX 32

struct acl_value {
	struct posix_acl_xattr_header head;
	struct posix_acl_xattr_entry entry[ACL_ENTRIES_MAX];
	size_t n;
};

static inline size_t acl_size(const struct acl_value *v)
{
	return sizeof v->head + v->n * sizeof v->entry[0];
}

static inline void acl_parse(const char *text, struct acl_value *ret)
{
	static const char kinds[] = "ugmo";
	static const unsigned short plain[] = { ACL_USER_OBJ, ACL_GROUP_OBJ, ACL_MASK,
						ACL_OTHER };

	memset(ret, 0, sizeof *ret);
	ret->head.a_version = POSIX_ACL_XATTR_VERSION;
	while (*text && ret->n < ACL_ENTRIES_MAX) {
		struct posix_acl_xattr_entry *e = &ret->entry[ret->n++];
		char *end;
		e->e_tag = plain[strchr(kinds, *text) - kinds];
		e->e_id = (unsigned)strtoul(text + 1, &end, 10);
		if (end == text + 1)
			e->e_id = (unsigned)ACL_UNDEFINED_ID;
		else
			e->e_tag <<= 1; /* ACL_USER, ACL_GROUP */
		for (text = end + 1; *text && *text != ' '; text++)
			e->e_perm |= *text == 'r' ? 4 : *text == 'w' ? 2 : *text == 'x';
		text += *text == ' ';
	}
}

static inline int acl_set(const char *path, const char *name, const char *text)
{
	struct acl_value v;

	acl_parse(text, &v);
	return lsetxattr(path, name, &v.head, acl_size(&v), 0);
}

static inline size_t acl_print_entry(const struct posix_acl_xattr_entry *e, char *to,
				     size_t room)
{
	char id[16] = "";

	if (e->e_tag & (ACL_USER | ACL_GROUP))
		snprintf(id, sizeof id, "%u", e->e_id);
	return (size_t)snprintf(to, room, "%c%s:%c%c%c ",
				e->e_tag <= ACL_USER	? 'u'
				: e->e_tag <= ACL_GROUP ? 'g'
				: e->e_tag == ACL_MASK	? 'm'
							: 'o',
				id, e->e_perm & 4 ? 'r' : '-', e->e_perm & 2 ? 'w' : '-',
				e->e_perm & 1 ? 'x' : '-');
}

/* The list as text; "none", or the number of the error. */
static inline const char *acl_text(const char *path, const char *name)
{
	static char text[ACL_TEXT_MAX];
	struct acl_value v;
	size_t at = 0;

	ssize_t n = lgetxattr(path, name, &v.head, sizeof v.head + sizeof v.entry);
	if (n < (ssize_t)sizeof v.head) {
		snprintf(text, sizeof text, "error %d", errno);
		return errno == ENODATA ? "none" : text;
	}
	v.n = ((size_t)n - sizeof v.head) / sizeof v.entry[0];
	for (size_t k = 0; k < v.n; k++)
		at += acl_print_entry(&v.entry[k], text + at, sizeof text - at);
	text[at - 1] = '\0';
	return text;
}

#endif
