// SPDX-License-Identifier: GPL-2.0
/*
 * The local APIC, as the hardware has it.
 *
 * This is C because it needs inline functions, and because modules cannot call
 * those of the kernel: nothing else sends NMIs or looks for lost interrupts.
 */

#include <linux/bits.h>
#include <linux/bitops.h>
#include <linux/cpufeature.h>
#include <linux/irqflags.h>
#include <linux/processor.h>
#include <linux/smp.h>

#include <asm/apic.h>
#include <asm/msr.h>

#include "apic.h"
#include "event.h"
#include "visit.h"

#define VECTORS_PER_REGISTER	32

static u32 x2apic_msr(u32 offset)
{
	return APIC_BASE_MSR + (offset >> 4);
}

static u32 apic_register(u32 offset)
{
	u64 value;

	if (!x2apic_mode)
		return native_apic_mem_read(offset);
	rdmsrq(x2apic_msr(offset), value);
	return value;
}

static void set_apic_register(u32 offset, u32 value)
{
	if (x2apic_mode)
		wrmsrq(x2apic_msr(offset), value);
	else
		native_apic_mem_write(offset, value);
}

/* The CPU with the APIC @id gets what @command says. Interrupts must be off. */
static void send(u32 id, u32 command)
{
	if (x2apic_mode) {
		wrmsrq(x2apic_msr(APIC_ICR), (u64)id << 32 | command);
		return;
	}
	while (native_apic_mem_read(APIC_ICR) & APIC_ICR_BUSY)
		cpu_relax();
	native_apic_mem_write(APIC_ICR2, SET_XAPIC_DEST_FIELD(id));
	native_apic_mem_write(APIC_ICR, command);
}

/* Where it is missing or not the CPU's own, entry is not what is tested. */
bool stack_stress_has_apic(void)
{
	return boot_cpu_has(X86_FEATURE_APIC) && !boot_cpu_has(X86_FEATURE_XENPV);
}

/*
 * Leave only one store to do to send an NMI to the running CPU. It is addressed
 * by its number: the shorthand for oneself is not defined for NMIs.
 */
void stack_stress_prepare_nmi(struct stack_stress_visit *visit)
{
	u32 id = cpu_physical_id(smp_processor_id());

	if (x2apic_mode) {
		visit->target = x2apic_msr(APIC_ICR);
		visit->value = (u64)id << 32 | APIC_DM_NMI;
	} else {
		native_apic_mem_write(APIC_ICR2, SET_XAPIC_DEST_FIELD(id));
		visit->target = APIC_BASE + APIC_ICR;
		visit->value = APIC_DM_NMI;
	}
}

void stack_stress_send_nmi(unsigned int cpu)
{
	unsigned long flags;

	local_irq_save(flags);
	send(cpu_physical_id(cpu), APIC_DM_NMI);
	local_irq_restore(flags);
}

/*
 * Return how many interrupts the CPU accepted without running their handlers.
 * For a thread that has interrupts off, that is all that are in service. Such an
 * interrupt blocks all of the same and of lower priority, so nothing here would
 * ever end: acknowledge it, and raise it anew.
 */
unsigned int stack_stress_redo_lost_interrupts(void)
{
	unsigned int lost = 0;
	int index;

	for (index = 7; index >= 0; index--) {
		u32 bits = apic_register(APIC_ISR + 0x10 * index);

		while (bits) {
			unsigned int bit = fls(bits) - 1;

			bits &= ~BIT(bit);
			lost++;
			set_apic_register(APIC_EOI, APIC_EOI_ACK);
			send(0, APIC_DEST_SELF | (index * VECTORS_PER_REGISTER + bit));
		}
	}
	return lost;
}
