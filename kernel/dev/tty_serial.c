/*
 * The serial port as a terminal: ttyS0 and /dev/console. Output goes out as it is written
 * (the port takes a byte whenever it is asked to). Input comes by interrupt into a small
 * ring and is processed by a thread of its own, because the line discipline sends
 * signals.
 *
 * A 16550 (UART) at port 0x3f8; registers as in its data sheet.
 */
#include "core/log.h"
#include "dev/io.h"
#include "dev/tty_internal.h"

#define UART 0x3f8
#define UART_DATA (UART + 0)
#define UART_IER (UART + 1) /* interrupt enable; bit 0: received data */
#define UART_MCR (UART + 4) /* modem control; OUT2 lets interrupts through */
#define UART_LSR (UART + 5) /* line status; bit 0: data ready */
#define UART_IRQ 4
#define IER_RECEIVED 1
#define MCR_ON 0x0b
#define LSR_READY 1

#define RAW_SIZE 1024u

static struct serial {
	struct tty tty;
	struct thread *thread;
	struct mutex out_lock;	  /* RANK_BLK: bytes leave in order */
	struct spinlock raw_lock; /* RANK_DEV, interrupts off */
	struct waitq raw_wait;
	_Atomic uint32_t raw_head, raw_tail; /* [raw_lock] */
	uint8_t raw[RAW_SIZE];
} serial;

static struct mutex setup_lock = MUTEX_INIT(setup_lock, RANK_TTY);
static bool ready; /* [setup_lock] */

/* ---- input ---- */

/* Interrupts off. What does not fit is lost, as on any serial line. */
static void received(void *arg)
{
	spin_lock(&serial.raw_lock);
	while (port_read8(UART_LSR) & LSR_READY) {
		uint8_t c = port_read8(UART_DATA);

		if (serial.raw_head - serial.raw_tail < RAW_SIZE)
			serial.raw[serial.raw_head++ % RAW_SIZE] = c;
	}
	spin_unlock(&serial.raw_lock);
	wake_all(&serial.raw_wait);
}

static size_t take_raw(uint8_t *dst, size_t n)
{
	uint64_t flags = spin_lock_irq(&serial.raw_lock);
	size_t done = 0;

	while (done < n && serial.raw_tail != serial.raw_head)
		dst[done++] = serial.raw[serial.raw_tail++ % RAW_SIZE];
	spin_unlock_irq(&serial.raw_lock, flags);
	return done;
}

static void input_thread(void *arg)
{
	uint8_t chunk[64];

	for (;;) {
		size_t n = take_raw(chunk, sizeof chunk), fed = 0;

		while (fed < n) {
			fed += tty_feed(&serial.tty, chunk + fed, n - fed);
			if (fed < n)
				wait_event(&serial.raw_wait, tty_feed_room(&serial.tty));
		}
		if (!n)
			wait_event(&serial.raw_wait, serial.raw_head != serial.raw_tail);
	}
}

/* ---- the driver ---- */

static void serial_start(struct tty *t)
{
	uint8_t chunk[TTY_CHUNK];
	size_t n;

	mutex_lock(&serial.out_lock);
	while ((n = tty_drain(t, chunk, sizeof chunk)))
		arch_serial_write((const char *)chunk, n);
	mutex_unlock(&serial.out_lock);
}

static void serial_unthrottle(struct tty *t)
{
	wake_all(&serial.raw_wait);
}

/* Never: the setup's own reference stays. */
static void serial_free(struct tty *t)
{
}

static const struct tty_driver serial_driver = {
	.start = serial_start,
	.unthrottle = serial_unthrottle,
	.free = serial_free,
};

static int serial_setup(void)
{
	int err =
		tty_init(&serial.tty, &serial_driver, TTY_MAJOR << 8 | TTY_SERIAL_MINOR);

	if (err)
		return err;
	serial.tty.ld.t.c_cflag |= HUPCL;
	mutex_init(&serial.out_lock, RANK_BLK);
	spin_init(&serial.raw_lock, RANK_DEV);
	waitq_init(&serial.raw_wait);
	err = thread_new("ttyS0", input_thread, NULL, &serial.thread);
	if (err) {
		tty_fini(&serial.tty);
		return err;
	}
	sched_start(serial.thread);
	/* Without its interrupt the port is a terminal that nobody types on. */
	if (irq_request(UART_IRQ, received, NULL))
		log_warn("ttyS0: no interrupt, output only");
	port_write8(UART_MCR, MCR_ON);
	port_write8(UART_IER, IER_RECEIVED);
	return 0;
}

int tty_serial_get(struct tty **ret)
{
	int err = 0;

	mutex_lock(&setup_lock);
	if (!ready)
		err = serial_setup();
	ready = ready || !err;
	mutex_unlock(&setup_lock);
	if (!err)
		*ret = tty_get(&serial.tty);
	return err;
}
