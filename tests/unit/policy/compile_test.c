/* policy/: texts, and what their compiled forms decide. */
/* link: policy/built.c policy/compile.c policy/check.c policy/check_path.c */
/* link: policy/parse.c policy/parse_call.c policy/parse_where.c policy/parse_path.c */
/* link: policy/parse_include.c policy/lex.c policy/sources.c policy/arena.c */
/* link: policy/words.c policy/guess.c policy/names.c policy/draft.c policy/profiles.c */
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "policy/names.h"
#include "policy/profiles.h"
#include "tests/unit/policy/made.h"

static void what_is_named_is_allowed_and_nothing_else(void **state)
{
	struct built b;

	make(&b, "allow read @exit");
	assert_int_equal(verdict(&b, "read", 0, 0, 0, 0), ALLOWED);
	assert_int_equal(verdict(&b, "exit_group", 0, 0, 0, 0), ALLOWED);
	assert_int_equal(verdict(&b, "write", 0, 0, 0, 0), REFUSED(EPERM));
	built_free(&b);
	make(&b, "");
	assert_int_equal(verdict(&b, "read", 0, 0, 0, 0), REFUSED(EPERM));
	assert_int_equal(b.policy.header->n_rules, 0);
	built_free(&b);
}

static void every_group_and_every_call_has_its_name(void **state)
{
	for (unsigned i = 0; i < SYSCALL_GROUPS; i++) {
		char name[32];

		group_name(i, name);
		assert_int_equal(word_group(name, strlen(name)), i);
		assert_int_equal(word_group(syscall_groups[i].name,
					    strlen(syscall_groups[i].name)),
				 i);
	}
	for (uint32_t i = 0; i < syscall_numbers(); i++) {
		const struct syscall_row *row = syscall_row(i);

		if (!row)
			continue;
		assert_int_equal(word_syscall(row->name, strlen(row->name)), i);
		for (uint32_t k = 0; k < SYSCALL_ARGS_MAX; k++) {
			const char *arg = argument_name(i, k);

			assert_int_equal(!arg, row->kinds[k] == KIND_none);
			if (arg)
				assert_int_equal(word_argument(i, arg, strlen(arg)), k);
		}
	}
}

/* A name that means two things would mean whichever is found. */
static void a_constant_has_one_value(void **state)
{
	for (size_t i = 0; i < names_all_count; i++) {
		for (size_t k = 0; k < names_all[i]->count; k++) {
			const struct name *n = &names_all[i]->at[k];
			uint64_t value;

			assert_true(word_constant(n->name, strlen(n->name), &value));
			assert_int_equal(value, n->value);
		}
	}
}

static void refusals_win_and_the_sternest_of_them(void **state)
{
	struct built b;

	make(&b, "deny write with EIO\nallow @basic-io\ndeny read\n"
		 "deny close with EIO\ndeny close with kill\n"
		 "default deny with ENOSYS");
	assert_int_equal(verdict(&b, "write", 0, 0, 0, 0), REFUSED(EIO));
	assert_int_equal(verdict(&b, "read", 0, 0, 0, 0), REFUSED(ENOSYS));
	assert_int_equal(verdict(&b, "close", 0, 0, 0, 0),
			 POLICY_ACTION_OF(POLICY_KILL, 0));
	assert_int_equal(verdict(&b, "lseek", 0, 0, 0, 0), ALLOWED);
	assert_int_equal(verdict(&b, "getpid", 0, 0, 0, 0), REFUSED(ENOSYS));
	built_free(&b);
}

/* What `has` and `lacks` mean for a value of a field is not what they mean for bits. */
static void access_modes_are_compared_whole(void **state)
{
	struct built b;

	make(&b, "allow openat where flags has O_RDONLY\n"
		 "allow open where flags has O_WRONLY|O_CREAT\n"
		 "allow openat2 where flags lacks O_WRONLY and flags lacks O_RDWR\n"
		 "allow socketpair where type has SOCK_STREAM and family == AF_UNIX");
	assert_int_equal(verdict(&b, "openat", 0, 0, O_RDONLY | O_CLOEXEC, 0), ALLOWED);
	assert_int_equal(verdict(&b, "openat", 0, 0, O_WRONLY, 0), REFUSED(EPERM));
	assert_int_equal(verdict(&b, "openat", 0, 0, O_RDWR, 0), REFUSED(EPERM));
	assert_int_equal(verdict(&b, "openat", 0, 0, 3, 0), REFUSED(EPERM));
	assert_int_equal(verdict(&b, "open", 0, O_WRONLY | O_CREAT | O_EXCL, 0, 0),
			 ALLOWED);
	assert_int_equal(verdict(&b, "open", 0, O_WRONLY, 0, 0), REFUSED(EPERM));
	assert_int_equal(verdict(&b, "open", 0, O_RDWR | O_CREAT, 0, 0), REFUSED(EPERM));
	assert_int_equal(
		verdict(&b, "socketpair", AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, 0),
		ALLOWED);
	assert_int_equal(verdict(&b, "socketpair", AF_UNIX, SOCK_DGRAM, 0, 0),
			 REFUSED(EPERM));
	assert_int_equal(verdict(&b, "socketpair", AF_INET, SOCK_STREAM, 0, 0),
			 REFUSED(EPERM));
	built_free(&b);
}

static void conditions(void **state)
{
	struct built b;

	make(&b, "allow ioctl where cmd in {TCGETS, TIOCGWINSZ,\n TCGETS}\n"
		 "allow clone where flags lacks CLONE_NEWUSER|CLONE_NEWNS and flags has "
		 "CLONE_THREAD\n"
		 "allow mmap where prot & PROT_EXEC == 0 and flags not in {0, 1}\n"
		 "allow kill where pid > 0 and sig <= 15\n"
		 "allow openat where dirfd == AT_FDCWD and path == 0\n"
		 "allow dup where fd == -1\n"
		 "allow setuid where uid == -1\n"
		 "allow lseek where offset < 0\n"
		 "allow read where count >= 0x10 and count != 32 and fd & ~1 == 0");
	assert_int_equal(verdict(&b, "ioctl", 0, TCGETS, 0, 0), ALLOWED);
	assert_int_equal(verdict(&b, "ioctl", 0, TIOCSTI, 0, 0), REFUSED(EPERM));
	assert_int_equal(verdict(&b, "clone", CLONE_THREAD | CLONE_VM, 0, 0, 0), ALLOWED);
	assert_int_equal(verdict(&b, "clone", CLONE_VM, 0, 0, 0), REFUSED(EPERM));
	assert_int_equal(verdict(&b, "clone", CLONE_THREAD | CLONE_NEWNS, 0, 0, 0),
			 REFUSED(EPERM));
	assert_int_equal(verdict(&b, "mmap", 0, 0, PROT_READ, 2), ALLOWED);
	assert_int_equal(verdict(&b, "mmap", 0, 0, PROT_READ | PROT_EXEC, 2),
			 REFUSED(EPERM));
	assert_int_equal(verdict(&b, "mmap", 0, 0, PROT_READ, 1), REFUSED(EPERM));
	assert_int_equal(verdict(&b, "kill", 5, 15, 0, 0), ALLOWED);
	assert_int_equal(verdict(&b, "kill", (uint32_t)-1, 15, 0, 0), REFUSED(EPERM));
	assert_int_equal(verdict(&b, "openat", (uint32_t)AT_FDCWD, 0, 0, 0), ALLOWED);
	assert_int_equal(verdict(&b, "openat", (uint64_t)AT_FDCWD, 0, 0, 0), ALLOWED);
	assert_int_equal(verdict(&b, "openat", 5, 0, 0, 0), REFUSED(EPERM));
	assert_int_equal(verdict(&b, "dup", UINT32_MAX, 0, 0, 0), ALLOWED);
	assert_int_equal(verdict(&b, "setuid", UINT32_MAX, 0, 0, 0), ALLOWED);
	assert_int_equal(verdict(&b, "lseek", 3, (uint64_t)-8, 0, 0), ALLOWED);
	assert_int_equal(verdict(&b, "lseek", 3, 8, 0, 0), REFUSED(EPERM));
	assert_int_equal(verdict(&b, "read", 1, 0, 16, 0), ALLOWED);
	assert_int_equal(verdict(&b, "read", 2, 0, 16, 0), REFUSED(EPERM));
	assert_int_equal(verdict(&b, "read", 1, 0, 32, 0), REFUSED(EPERM));
	built_free(&b);
}

static void paths(void **state)
{
	struct built b;

	make(&b, "let out = ${job}/out\nlet job = /job\n"
		 "read /usr//lib/ /etc/. \"/a b\"\nwrite $out \"why\"\n"
		 "deny read modify /usr/lib/secret\nread /proc/self/maps /lib/*.so\n"
		 "execute /usr");
	assert_int_equal(rights(&b, "/usr/lib/x"),
			 POLICY_READ | POLICY_EXECUTE | POLICY_LOOK);
	assert_int_equal(rights(&b, "/usr/lib/secret/x"), POLICY_EXECUTE | POLICY_LOOK);
	assert_int_equal(rights(&b, "/etc"), POLICY_READ | POLICY_LOOK);
	assert_int_equal(rights(&b, "/etc/x"), 0);
	assert_int_equal(rights(&b, "/a b/c"), POLICY_READ | POLICY_LOOK);
	assert_int_equal(rights(&b, "/job/out/x"),
			 POLICY_MODIFY | POLICY_CREATE | POLICY_REMOVE | POLICY_LOOK);
	assert_int_equal(rights(&b, "/job"), POLICY_LOOK);
	assert_int_equal(rights(&b, "/proc/77/maps"), POLICY_READ | POLICY_LOOK);
	assert_int_equal(rights(&b, "/proc/78/maps"), 0);
	assert_int_equal(rights(&b, "/lib/x.so"), POLICY_READ | POLICY_LOOK);
	assert_int_equal(rights(&b, "/lib/x.so.1"), 0);
	built_free(&b);
}

static void flags_limits_and_programs(void **state)
{
	struct policy_place at = { "/usr/bin/gcc-12", 15, 1 };
	struct built b;

	make(&b, "policy \"p\"\nallow exec-write \"a JIT\"\ngain kill\n"
		 "limit memory 256M processes 8 cpu 2m output 3K\nlimit memory 1G\n"
		 "on exec /usr/bin/gcc* use inside\non exec /usr/bin/gcc-12 use other\n"
		 "program inside {\n allow read\n}\nprogram \"other\" { allow write }\n");
	assert_int_equal(b.policy.programs[0].flags,
			 POLICY_FLAG_EXEC_WRITE | POLICY_FLAG_GAIN_KILL);
	assert_int_equal(policy_limit_of(&b.policy, 0, POLICY_LIMIT_MEMORY), MIB(256));
	assert_int_equal(policy_limit_of(&b.policy, 0, POLICY_LIMIT_CPU), 120);
	assert_int_equal(policy_limit_of(&b.policy, 0, POLICY_LIMIT_OUTPUT), KIB(3));
	assert_int_equal(policy_limit_of(&b.policy, 0, POLICY_LIMIT_FILES), UINT64_MAX);
	assert_int_equal(policy_exec_find(&b.policy, 0, &at), 2);
	at.path = "/usr/bin/gcc-11";
	assert_int_equal(policy_exec_find(&b.policy, 0, &at), 1);
	at.path = "/usr/bin/gdb-11";
	assert_int_equal(policy_exec_find(&b.policy, 0, &at), -1);
	assert_string_equal(b.policy.text + b.policy.programs[0].name, "p");
	built_free(&b);
}

/* The same whatever the order, but for the lines that they are in. */
static void order_does_not_matter(void **state)
{
	struct built a, b;

	make(&a, "allow read\nread /a /b\ndeny write with EIO\nallow read\n"
		 "deny write with EPERM");
	make(&b, "deny write with EPERM\ndeny write with EIO\nread /b /a\nallow read\n"
		 "read /a");
	assert_int_equal(a.compiled.size, b.compiled.size);
	for (uint32_t i = 0; i < a.policy.header->n_rules; i++)
		assert_int_equal(a.policy.rules[i].action, b.policy.rules[i].action);
	built_free(&b);
	make(&b, "allow read\nread /a /b\ndeny write with EIO\nallow read\n"
		 "deny write with EPERM");
	assert_memory_equal(a.compiled.form, b.compiled.form, a.compiled.size);
	built_free(&a);
	built_free(&b);
}

static void profiles_are_right_and_can_be_included(void **state)
{
	for (size_t i = 0; i < profile_count; i++) {
		char text[128];
		struct built b, c;

		assert_int_equal(built_file(&b, profiles[i].name, NULL, 0), 0);
		assert_string_equal(b.policy.text + b.policy.programs[0].name,
				    profiles[i].name);
		snprintf(text, sizeof(text), "# a line\ninclude %s\n", profiles[i].name);
		make(&c, text);
		assert_int_equal(c.policy.header->n_rules, b.policy.header->n_rules);
		for (uint32_t k = 0; k < c.policy.header->n_rules; k++)
			assert_int_equal(c.policy.rules[k].line, 2);
		built_free(&b);
		built_free(&c);
	}
}

/* What an included text says of a default or a variable holds unless the outer does. */
static void the_outer_text_has_the_last_word(void **state)
{
	struct policy_define out = { "job", "/else" };
	const char *text = "include job\ndefault deny with EIO\nlet job = /other\n"
			   "write $job";
	struct built b;

	make(&b, text);
	assert_int_equal(b.policy.programs[0].default_action, REFUSED(EIO));
	assert_true(rights(&b, "/other") & POLICY_CREATE);
	built_free(&b);
	assert_int_equal(built_text(&b, "test", text, strlen(text), &out, 1), 0);
	assert_true(rights(&b, "/else") & POLICY_CREATE);
	assert_false(rights(&b, "/other") & POLICY_CREATE);
	built_free(&b);
	out.name = "jobs";
	assert_int_equal(built_text(&b, "test", text, strlen(text), &out, 1), -EINVAL);
	assert_string_equal(b.sources.messages.at[0].hint, "did you mean 'job'?");
	built_free(&b);
}

static void any_bit_changed_is_refused(void **state)
{
	struct built b, c;

	make(&b, "allow openat where flags in {1, 2}\nread /a\nlimit cpu 1");
	assert_int_equal(
		built_text(&c, "form", b.compiled.form, b.compiled.size, NULL, 0), 0);
	built_free(&c);
	for (size_t i = 0; i < b.compiled.size * 8; i++) {
		((uint8_t *)b.compiled.form)[i / 8] ^= 1 << i % 8;
		assert_int_equal(
			built_text(&c, "form", b.compiled.form, b.compiled.size, NULL, 0),
			-EINVAL);
		built_free(&c);
		((uint8_t *)b.compiled.form)[i / 8] ^= 1 << i % 8;
	}
	built_free(&b);
}

/* A NUL, a bracket that is open, nothing where something must be. */
static void what_is_wrong_has_its_place(void **state)
{
	static const char *const table[][2] = {
		{ "allow opnat", "1:7 no such system call; did you mean 'openat'?" },
		{ "allow\n", "1:6 a system call or a @group was expected here" },
		{ "\n\n  alow read", "3:3 no line begins so; did you mean 'allow'?" },
		{ "read", "1:1 no path is named" },
		{ "read usr", "1:6 this is no path; a path begins with '/' or a "
			      "variable" },
		{ "read /a/../b", "1:6 '..' in a path; a rule is about the object, "
				  "however it is reached" },
		{ "read $x", "1:6 no such variable: '$x'" },
		{ "let x=$x\nread $x", "1:5 '$x' is made of itself" },
		{ "let self=/x", "1:5 $self is the number of the process that asks" },
		{ "deny write /x with EIO", "1:15 what a path refuses is always EACCES" },
		{ "allow read where fd = 1",
		  "1:21 == != < <= > >= has lacks in or not in was expected here; did "
		  "you mean '=='?" },
		{ "allow read where fd == 1 or fd == 2",
		  "1:26 there is no 'or'; write a line for each" },
		{ "allow read where fd in {1, 2",
		  "1:29 a ',' or the set's '}' was expected here" },
		{ "allow read where fd has 0", "1:25 no bit is named here" },
		{ "allow read where fd & 1 == 2",
		  "1:28 the mask leaves nothing that could be equal to this" },
		{ "allow open where flags has O_RDWR|O_WRONLY",
		  "1:28 these are values of one field: one at a time" },
		{ "allow read with EIO", "1:12 'with' says how a call is refused, and "
					 "this is allowed" },
		{ "default allow", "1:9 'deny' was expected here; what is not named is "
				   "refused" },
		{ "gain kill\ngain refuse", "2:1 test:1 says otherwise" },
		{ "program a {\n", "1:1 this program is not ended by a '}'" },
		{ "on exec /a use b", "1:16 there is no program \"b\" in this policy" },
		{ "include \"/etc/passwd\"",
		  "1:1 cannot read '/etc/passwd': Permission denied" },
		{ "policy \"a", "1:8 the string does not end in its line" },
		{ "policy \"\\q\"", "1:9 not a character of a string; there are \\\" "
				    "\\\\ \\n \\t \\xhh" },
		{ "\x7f", "1:1 a byte that is not understood: 0x7f; other letters go "
			  "into comments and strings" },
	};
	char text[256];

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_string_equal(wrong_in(table[i][0], text), table[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_named_is_allowed_and_nothing_else),
		cmocka_unit_test(every_group_and_every_call_has_its_name),
		cmocka_unit_test(a_constant_has_one_value),
		cmocka_unit_test(refusals_win_and_the_sternest_of_them),
		cmocka_unit_test(access_modes_are_compared_whole),
		cmocka_unit_test(conditions),
		cmocka_unit_test(paths),
		cmocka_unit_test(flags_limits_and_programs),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(profiles_are_right_and_can_be_included),
		cmocka_unit_test(the_outer_text_has_the_last_word),
		cmocka_unit_test(any_bit_changed_is_refused),
		cmocka_unit_test(what_is_wrong_has_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
