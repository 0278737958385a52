/* Values of the sweep that single calls know by name: see sweep.h. */
#include "sweep.h"
#include "sweep_place.h"

static const struct sweep_value ioctls_values[] = {
	{ "FIONREAD", 0x541b },
	{ "FIONBIO", 0x5421 },
	{ "FIOASYNC", 0x5452 },
	{ "FIOCLEX", 0x5451 },
	{ "FIONCLEX", 0x5450 },
	{ "FIOQSIZE", 0x5460 },
	{ "FIGETBSZ", 2 },
	{ "FIBMAP", 1 },
	{ "TCGETS", 0x5401 },
	{ "TCSETS", 0x5402 },
	{ "TCSBRK", 0x5409 },
	{ "TCXONC", 0x540a },
	{ "TCFLSH", 0x540b },
	{ "TIOCEXCL", 0x540c },
	{ "TIOCSCTTY", 0x540e },
	{ "TIOCGPGRP", 0x540f },
	{ "TIOCSPGRP", 0x5410 },
	{ "TIOCOUTQ", 0x5411 },
	{ "TIOCGWINSZ", 0x5413 },
	{ "TIOCSWINSZ", 0x5414 },
	{ "TIOCMGET", 0x5415 },
	{ "TIOCGSOFTCAR", 0x5419 },
	{ "TIOCPKT", 0x5420 },
	{ "TIOCNOTTY", 0x5422 },
	{ "TIOCSETD", 0x5423 },
	{ "TIOCGETD", 0x5424 },
	{ "TCSBRKP", 0x5425 },
	{ "TIOCGSID", 0x5429 },
	{ "TCGETS2", 0x802c542a },
	{ "TIOCGPTN", 0x80045430 },
	{ "TIOCSPTLCK", 0x40045431 },
	{ "TIOCGPTLCK", 0x80045439 },
	{ "TIOCGEXCL", 0x80045440 },
	{ "FIOSETOWN", 0x8901 },
	{ "SIOCSPGRP", 0x8902 },
	{ "FIOGETOWN", 0x8903 },
	{ "SIOCATMARK", 0x8905 },
	{ "BLKGETSIZE", 0x1260 },
	{ "FS_IOC_GETFLAGS", 0x80086601 },
	{ "FS_IOC_SETFLAGS", 0x40086602 },
	{ "FIFREEZE", 0xc0045877 },
	N(0),
	N(-1),
	{ "HIGH + FIONREAD", 0x10000541b },
};

static const struct sweep_value options_values[] = {
	N(1),  N(2),   N(3),	      N(4),	     N(5),  N(6),	 N(7),	N(8),
	N(9),  N(10),  N(13),	      N(14),	     N(15), N(16),	 N(19), N(20),
	N(21), N(23),  N(24),	      N(25),	     N(26), N(27),	 N(28), N(29),
	N(30), N(31),  N(32),	      N(33),	     N(34), N(35),	 N(36), N(37),
	N(38), N(39),  N(40),	      N(41),	     N(42), N(43),	 N(44), N(45),
	N(47), N(48),  N(49),	      N(50),	     N(51), N(52),	 N(53), N(54),
	N(0),  N(100), N(0x59616d61), N(0x53564d41), N(-1), N(HIGH + 3),
};

static const struct sweep_value arch_ops_values[] = {
	N(0x1001), N(0x1002), N(0x1003), N(0x1004), N(0x1011), N(0x1012),	 N(0),
	N(0x1000), N(0x1005), N(0x2001), N(0x2003), N(-1),     N(HIGH + 0x1003),
};

static const struct sweep_value requests_values[] = {
	N(0x4206), N(0),      N(1),	 N(2),	    N(3),      N(4),	  N(5),
	N(6),	   N(7),      N(8),	 N(9),	    N(12),     N(13),	  N(14),
	N(15),	   N(16),     N(17),	 N(24),	    N(25),     N(26),	  N(30),
	N(31),	   N(32),     N(33),	 N(0x4200), N(0x4201), N(0x4202), N(0x4203),
	N(0x4204), N(0x4205), N(0x4207), N(0x4208), N(0x4209), N(0x420a), N(0x420b),
	N(0x420e), N(-1),     N(MIN),	 N(HIGH),
};

static const struct sweep_value futex_ops_values[] = {
	N(1),	N(0),	N(2),	N(3),	N(4),	N(5),	N(6),	N(7),	N(8),
	N(9),	N(10),	N(11),	N(12),	N(13),	N(14),	N(128), N(129), N(131),
	N(132), N(133), N(137), N(256), N(257), N(262), N(265), N(-1),	N(HIGH + 1),
};

static const struct sweep_value levels_values[] = {
	N(1), N(0), N(2), N(6), N(17), N(41), N(255), N(256), N(270), N(-1), N(HIGH + 1),
};

static const struct sweep_value families_values[] = {
	N(1), N(0), N(45), N(46), N(47), N(100), N(-1), N(MAX), N(MIN), N(HIGH + 1),
};

static const struct sweep_value not_user_values[] = {
	N(0), N(1), N(4), N(5), N(-1), N(MIN), N(HIGH),
};

static const struct sweep_value send_flags_values[] = {
	N(0x4000), N(0x4001), N(0x4004), N(0x4040),    N(0x4080),    N(0x4200),
	N(0x4800), N(0xc000), N(0x6000), N(0x8004000), N(0xc000000), N(HIGH + 0x4000),
};

static const struct sweep_value map_flags_values[] = {
	N(0x22),    N(0),	  N(1),		 N(2),	    N(3),	    N(4),
	N(0x20),    N(0x21),	  N(0x23),	 N(0x32),   N(0x31),	    N(0x12),
	N(0x11),    N(0x100022),  N(0x100002),	 N(0x42),   N(0x62),	    N(0x122),
	N(0x1022),  N(0x2022),	  N(0x4022),	 N(0x8022), N(0x10022),	    N(0x20022),
	N(0x80003), N(0x1000022), N(0x80000022), N(-1),	    N(HIGH + 0x22),
};

static const struct sweep_value advice_values[] = {
	N(20), N(21), N(3), N(26), N(27), N(28), N(100), N(-1), N(HIGH + 20),
};

const struct sweep_domain sweep_commands[] = {
	DOMAIN("ioctls", ioctls_values),	 DOMAIN("options", options_values),
	DOMAIN("arch_ops", arch_ops_values),	 DOMAIN("requests", requests_values),
	DOMAIN("futex_ops", futex_ops_values),	 DOMAIN("levels", levels_values),
	DOMAIN("families", families_values),	 DOMAIN("not_user", not_user_values),
	DOMAIN("send_flags", send_flags_values), DOMAIN("map_flags", map_flags_values),
	DOMAIN("advice", advice_values),
};

const int sweep_commands_n = sizeof sweep_commands / sizeof *sweep_commands;
