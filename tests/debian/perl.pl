#!/usr/bin/perl
# Perl on Mayfly.
use strict;
use warnings;
use Test::More;
use File::Temp qw(tempdir);
use File::Find;
use Time::HiRes qw(time sleep alarm);
use POSIX qw(:sys_wait_h);
use Digest::SHA qw(sha256_hex);
use IO::Select;

my $top = tempdir(CLEANUP => 1);
mkdir "$top/$_" for 1 .. 20;
open my $out, '>', "$top/7/file" or die;
print $out "line $_\n" for 1 .. 1000;
close $out;
open my $in, '<', "$top/7/file" or die;
my @lines = <$in>;
is scalar(@lines), 1000, 'writes and reads lines';
my $found = 0;
find(sub { $found++ if $_ eq 'file' }, $top);
is $found, 1, 'finds a file';
is `echo hello | tr a-z A-Z`, "HELLO\n", 'runs a pipeline';
is sha256_hex(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'hashes';

pipe(my $reader, my $writer) or die;
my @children = map {
	my $pid = fork // die;
	if (!$pid) { syswrite $writer, 'x'; POSIX::_exit($_) }
	$pid;
} 1 .. 8;
my %status = map { waitpid($_, 0); $_ => WEXITSTATUS($?) } @children;
is join(',', @status{@children}), '1,2,3,4,5,6,7,8', 'forks and waits';
is sysread($reader, my $bytes, 100), 8, 'each child wrote';
ok !IO::Select->new($reader)->can_read(0.05), 'select sees nothing more';

my $rang = 0;
local $SIG{ALRM} = sub { $rang = 1 };
alarm 0.1;
select undef, undef, undef, 5 until $rang;
ok $rang, 'an alarm ends a wait';
my $began = time;
sleep 0.1;
ok time - $began >= 0.1, 'sleeps as long as it says';
done_testing;
