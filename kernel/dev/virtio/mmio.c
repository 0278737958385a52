/*
 * Virtio over memory-mapped registers (virtio 1.1, 4.2), version 2 of the layout.
 * Version 1, the legacy interface, is refused: its queues have no room for 64-bit
 * addresses and its devices no feature handshake (QEMU: -global virtio-mmio.force-
 * legacy=false).
 *
 * Every register access leaves the guest, so none is made that is not needed: an
 * interrupt is acknowledged without asking what it was for, since looking at the queues
 * tells.
 */
#include <linux/virtio_mmio.h>

#include "core/log.h"
#include "dev/io.h"
#include "dev/virtio/virtio.h"
#include "lib/boot_info.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/slab.h"

#define MAGIC 0x74726976u /* "virt" */
#define VERSION 2u
#define PARAMETER "virtio_mmio.device="
#define CONFIG_TRIES 8
#define RESET_TRIES 1000

struct mmio_device {
	struct virtio_device virtio;
	volatile uint8_t *regs; /* [I] */
};

static uint32_t reg_read(struct virtio_device *d, uint32_t reg)
{
	return mmio_read32(container_of(d, struct mmio_device, virtio)->regs + reg);
}

static void reg_write(struct virtio_device *d, uint32_t reg, uint32_t v)
{
	mmio_write32(container_of(d, struct mmio_device, virtio)->regs + reg, v);
}

/* ---- the transport ---- */

static uint64_t mmio_features(struct virtio_device *d)
{
	uint64_t features;

	reg_write(d, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	features = (uint64_t)reg_read(d, VIRTIO_MMIO_DEVICE_FEATURES) << 32;
	reg_write(d, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	return features | reg_read(d, VIRTIO_MMIO_DEVICE_FEATURES);
}

static int mmio_negotiate(struct virtio_device *d, uint64_t features)
{
	uint32_t status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;

	reg_write(d, VIRTIO_MMIO_STATUS, status);
	reg_write(d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	reg_write(d, VIRTIO_MMIO_DRIVER_FEATURES, features >> 32);
	reg_write(d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	reg_write(d, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)features);
	status |= VIRTIO_CONFIG_S_FEATURES_OK;
	reg_write(d, VIRTIO_MMIO_STATUS, status);
	return reg_read(d, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_FEATURES_OK ? 0 : -EIO;
}

static int mmio_config(struct virtio_device *d, uint32_t off, void *buf, uint32_t n)
{
	for (int tries = 0; tries < CONFIG_TRIES; tries++) {
		uint32_t before = reg_read(d, VIRTIO_MMIO_CONFIG_GENERATION);

		for (uint32_t i = 0; i < n; i += 4) {
			uint32_t v = reg_read(d, VIRTIO_MMIO_CONFIG + off + i);

			memcpy((char *)buf + i, &v, sizeof(v));
		}
		if (reg_read(d, VIRTIO_MMIO_CONFIG_GENERATION) == before)
			return 0;
	}
	return -EIO;
}

static uint32_t mmio_queue_max(struct virtio_device *d, uint32_t index)
{
	reg_write(d, VIRTIO_MMIO_QUEUE_SEL, index);
	return reg_read(d, VIRTIO_MMIO_QUEUE_NUM_MAX);
}

static void address_write(struct virtio_device *d, uint32_t reg_low, const void *at)
{
	paddr_t pa = arch_direct_pa(at);

	reg_write(d, reg_low, (uint32_t)pa);
	reg_write(d, reg_low + 4, pa >> 32);
}

/* The queue is still selected: queue_max came before. */
static void mmio_queue_start(struct virtio_device *d, uint32_t index,
			     const struct virtq *q)
{
	(void)index;
	reg_write(d, VIRTIO_MMIO_QUEUE_NUM, q->size);
	address_write(d, VIRTIO_MMIO_QUEUE_DESC_LOW, q->desc);
	address_write(d, VIRTIO_MMIO_QUEUE_AVAIL_LOW, q->avail);
	address_write(d, VIRTIO_MMIO_QUEUE_USED_LOW, q->used);
	reg_write(d, VIRTIO_MMIO_QUEUE_READY, 1);
}

static void mmio_ready(struct virtio_device *d)
{
	reg_write(d, VIRTIO_MMIO_STATUS,
		  VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
			  VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK);
}

static void mmio_kick(struct virtio_device *d, uint32_t index)
{
	reg_write(d, VIRTIO_MMIO_QUEUE_NOTIFY, index);
}

/* A device may take its time; one that never gets there is left alone. */
static void mmio_reset(struct virtio_device *d)
{
	reg_write(d, VIRTIO_MMIO_STATUS, 0);
	for (int i = 0; i < RESET_TRIES && reg_read(d, VIRTIO_MMIO_STATUS); i++)
		cpu_relax();
}

static const struct virtio_transport mmio_transport = {
	.features = mmio_features,
	.negotiate = mmio_negotiate,
	.config = mmio_config,
	.queue_max = mmio_queue_max,
	.queue_start = mmio_queue_start,
	.ready = mmio_ready,
	.kick = mmio_kick,
	.reset = mmio_reset,
};

/* ---- finding devices ---- */

static void mmio_interrupt(void *arg)
{
	struct virtio_device *d = arg;

	/* First, so that what the device finishes while we look interrupts again. */
	reg_write(d, VIRTIO_MMIO_INTERRUPT_ACK,
		  VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG);
	if (d->interrupt)
		d->interrupt(d);
}

/* True: a device of the version we speak is there. */
static bool mmio_present(struct virtio_device *d)
{
	uint32_t version;

	if (reg_read(d, VIRTIO_MMIO_MAGIC_VALUE) != MAGIC)
		return false;
	version = reg_read(d, VIRTIO_MMIO_VERSION);
	d->id = reg_read(d, VIRTIO_MMIO_DEVICE_ID);
	if (d->id && version != VERSION)
		log_err("virtio%u: virtio-mmio version %u is not driven, only version "
			"%u\n",
			d->nr, version, VERSION);
	return d->id && version == VERSION;
}

static void mmio_add(uint64_t base, uint64_t size, uint32_t line, unsigned nr)
{
	struct mmio_device *m;

	if (size < VIRTIO_MMIO_CONFIG || base < BOOT_DEVICE_START || base & 3 ||
	    base > BOOT_DEVICE_END || size > BOOT_DEVICE_END - base) {
		log_err("virtio-mmio: no registers at %llx\n", (unsigned long long)base);
		return;
	}
	m = heap_zalloc(sizeof(*m));
	if (!m) {
		log_err("virtio-mmio: no memory for a device\n");
		return;
	}
	m->virtio.nr = nr;
	m->virtio.transport = &mmio_transport;
	m->virtio.line = line;
	m->regs = arch_direct_map(base);
	if (!mmio_present(&m->virtio) || irq_request(line, mmio_interrupt, &m->virtio)) {
		heap_free(m);
		return;
	}
	virtio_attach(&m->virtio);
}

/* A number and, after it, `end` (or the text's end, a blank or a colon when `end` is
 * 0). */
static bool number_take(const char **s, unsigned base, char end, uint64_t *ret)
{
	const char *after;

	if (fmt_parse_u64(*s, base, ret, &after))
		return false;
	if (end ? *after != end : *after && *after != ' ' && *after != ':')
		return false;
	*s = after + (end != 0);
	return true;
}

/* SIZE may end in K or M, as Linux's memparse has it. */
static bool size_take(const char **s, uint64_t *ret)
{
	const char *after;

	if (fmt_parse_u64(*s, 0, ret, &after))
		return false;
	if (*after == 'K' || *after == 'k')
		*ret <<= 10, after++;
	else if (*after == 'M')
		*ret <<= 20, after++;
	*s = after + 1;
	return *after == '@';
}

void virtio_mmio_init(void)
{
	const char *s = arch_cmdline();
	unsigned nr = 0;

	while ((s = strstr(s, PARAMETER))) {
		uint64_t size, base, line;
		bool at_word = s == arch_cmdline() || s[-1] == ' ';

		s += sizeof(PARAMETER) - 1;
		if (!at_word)
			continue;
		if (size_take(&s, &size) && number_take(&s, 0, ':', &base) &&
		    number_take(&s, 0, 0, &line) && line <= UINT32_MAX)
			mmio_add(base, size, (uint32_t)line, nr++);
		else
			log_err("virtio-mmio: bad " PARAMETER " on the command line\n");
	}
}
