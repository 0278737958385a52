/* Device registers: port and memory-mapped. Accesses are neither merged nor reordered. */
#ifndef DEV_IO_H
#define DEV_IO_H

#include "arch/arch.h"

static inline uint8_t port_read8(uint16_t port)
{
	uint8_t v;
	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void port_write8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}

/* n bytes to one port. */
static inline void port_write_run(uint16_t port, const void *bytes, size_t n)
{
	__asm__ volatile("rep outsb" : "+S"(bytes), "+c"(n) : "d"(port) : "memory");
}

static inline uint32_t mmio_read32(const volatile void *at)
{
	uint32_t v;
	__asm__ volatile("movl %1, %0"
			 : "=r"(v)
			 : "m"(*(const volatile uint32_t *)at)
			 : "memory");
	return v;
}

static inline void mmio_write32(volatile void *at, uint32_t v)
{
	__asm__ volatile("movl %1, %0"
			 : "=m"(*(volatile uint32_t *)at)
			 : "r"(v)
			 : "memory");
}

static inline uint8_t mmio_read8(const volatile void *at)
{
	uint8_t v;
	__asm__ volatile("movb %1, %0"
			 : "=q"(v)
			 : "m"(*(const volatile uint8_t *)at)
			 : "memory");
	return v;
}

#endif
