/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of a visit during which the stack pointer is elsewhere: at a place
 * below the frames of the thread, with nothing but patterns in between.
 *
 * This is assembly because it must not touch the stack by itself at the place: no
 * calls, no pushes. %rbp keeps where the frames are, as in any function with alloca(), so
 * that objtool and the unwinders understand it. Interrupts are off on entry and
 * on return, because an interrupt would use what is below the stack pointer.
 */

#include <linux/cfi_types.h>
#include <linux/linkage.h>
#include <linux/objtool.h>

#include <asm/asm.h>
#include <asm/bug.h>
#include <asm/smap.h>

#include "visit.h"

/* What begin_visit pushes after %rbp. */
#define SAVED	40

/*
 * With the method probe a function that wants that much of the stack has a check,
 * and leaves the rest of the margin to what it is interrupted by.
 */
#define CHECK_STEP	128

/* Some tenths of a second. */
#define TURNS	20000000

/* All but the stack pointer's, %rbp's and the scratch registers. */
.macro for_patterns operation
	.set .Loffset, 1
	.irp register, rbx, r8, r9, r10, r11, r12, r13, r14, r15
	\operation \register, .Loffset
	.set .Loffset, .Loffset + 1
	.endr
.endm

.macro set_pattern register, offset
	lea	\offset(%rsi), %\register
.endm

/* Collects in %rax what differs. */
.macro compare_pattern register, offset
	lea	\offset(%rsi), %rdx
	xor	%\register, %rdx
	or	%rdx, %rax
.endm

/* Moves the stack pointer and fills memory and registers with patterns. */
.macro begin_visit
	push	%rbp
	mov	%rsp, %rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
#ifdef CONFIG_DYNAMIC_STACK_PROBE
.Ldown\@:
	cmpq	$0, VISIT_CHECKED(%rdi)
	je	.Lthere\@
	mov	%rsp, %rcx
	sub	VISIT_SP(%rdi), %rcx
	cmp	$(2 * CHECK_STEP), %rcx
	jb	.Lthere\@
	mov	$CHECK_STEP, %ecx
	sub	%rcx, %rsp
	call	__sanitizer_cov_stack_depth
	jmp	.Ldown\@
.Lthere\@:
#endif
	mov	%rsp, %rcx
	sub	VISIT_SP(%rdi), %rcx
	sub	%rcx, %rsp

	mov	VISIT_SEED(%rdi), %rsi
	mov	VISIT_FLOOR(%rdi), %rdx
	lea	-SAVED(%rbp), %rcx
.Lfill\@:
	lea	(%rsi, %rdx), %rax
	mov	%rax, (%rdx)
	add	$8, %rdx
	cmp	%rcx, %rdx
	jb	.Lfill\@
	for_patterns set_pattern
.endm

/* Compares registers and memory with the patterns and returns. */
.macro end_visit
	mov	VISIT_SEED(%rdi), %rsi
	mov	VISIT_SP(%rdi), %rax
	xor	%rsp, %rax
	for_patterns compare_pattern
	mov	%rax, VISIT_BAD_REGISTERS(%rdi)

	mov	VISIT_FLOOR(%rdi), %rdx
	lea	-SAVED(%rbp), %rcx
.Lcompare\@:
	lea	(%rsi, %rdx), %rax
	cmp	%rax, (%rdx)
	jne	.Lbad\@
	add	$8, %rdx
	cmp	%rcx, %rdx
	jb	.Lcompare\@
.Lreturn\@:
	lea	-SAVED(%rbp), %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET
.Lbad\@:
	mov	(%rdx), %rax
	mov	%rax, VISIT_BAD_WORD(%rdi)
	mov	%rdx, VISIT_BAD_ADDRESS(%rdi)
	jmp	.Lreturn\@
.endm

/*
 * Waits until the event was handled, but not for ever: until the deadline and
 * for a number of turns, because a virtual CPU may have been stopped for long.
 */
.macro wait_handled
	mov	$TURNS, %ecx
.Lwait\@:
	cmpq	$0, VISIT_HANDLED(%rdi)
	jne	.Lhandled\@
	pause
	dec	%ecx
	jnz	.Lwait\@
	inc	%ecx
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	cmp	VISIT_DEADLINE(%rdi), %rax
	jb	.Lwait\@
.Lhandled\@:
.endm

/* The interrupt is pending, or will be. */
SYM_TYPED_FUNC_START(stack_stress_wait_at_place)
	begin_visit
	sti
	wait_handled
	cli
	end_visit
SYM_FUNC_END(stack_stress_wait_at_place)

/* Another CPU waits for this to send its interrupt. */
SYM_TYPED_FUNC_START(stack_stress_ask_at_place)
	begin_visit
	sti
	mov	%rdi, stack_stress_asking(%rip)
	wait_handled
	cli
	end_visit
SYM_FUNC_END(stack_stress_ask_at_place)

/* Writes the ICR: an MSR, or memory if the target is a kernel address. */
SYM_TYPED_FUNC_START(stack_stress_nmi_at_place)
	begin_visit
	mov	VISIT_VALUE(%rdi), %eax
	mov	VISIT_TARGET(%rdi), %rcx
	test	%rcx, %rcx
	js	.Lxapic
	mov	VISIT_VALUE+4(%rdi), %edx
	wrmsr
	jmp	.Lsent
.Lxapic:
	mov	%eax, (%rcx)
.Lsent:
	wait_handled
	end_visit
SYM_FUNC_END(stack_stress_nmi_at_place)

/* Stores to user memory. */
SYM_TYPED_FUNC_START(stack_stress_store_at_place)
	begin_visit
	mov	VISIT_TARGET(%rdi), %rdx
	sti
	ASM_STAC
.Lstore:
	mov	%rsi, (%rdx)
	movq	$1, VISIT_PASSED(%rdi)
.Lstored:
	ASM_CLAC
	cli
	end_visit
	_ASM_EXTABLE_UA(.Lstore, .Lstored)
SYM_FUNC_END(stack_stress_store_at_place)

/* Stores where a breakpoint watches. */
SYM_TYPED_FUNC_START(stack_stress_watch_at_place)
	begin_visit
	mov	VISIT_TARGET(%rdi), %rdx
	/* For other breakpoints. */
SYM_INNER_LABEL(stack_stress_watch_site, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	mov	%rsi, (%rdx)
	end_visit
SYM_FUNC_END(stack_stress_watch_at_place)

SYM_TYPED_FUNC_START(stack_stress_int3_at_place)
	begin_visit
SYM_INNER_LABEL(stack_stress_int3_site, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	nop
	end_visit
SYM_FUNC_END(stack_stress_int3_at_place)

SYM_TYPED_FUNC_START(stack_stress_warn_at_place)
	begin_visit
#ifdef CONFIG_GENERIC_BUG
.Lwarn:
	ANNOTATE_REACHABLE
	ud2
	.pushsection .rodata.str1.1, "aMS", @progbits, 1
.Lformat:
	.string ""
#ifdef CONFIG_DEBUG_BUGVERBOSE
.Lfile:
	.string __FILE__
#endif
	.popsection
	.pushsection __bug_table, "aw"
	.balign 4
	ANNOTATE_DATA_SPECIAL
	.long	.Lwarn - .
	.long	.Lformat - .
#ifdef CONFIG_DEBUG_BUGVERBOSE
	.long	.Lfile - .
	.word	__LINE__
#endif
	.word	BUGFLAG_WARNING | BUGFLAG_ONCE
	.balign 4
	.popsection
#endif
	movq	$1, VISIT_PASSED(%rdi)
	end_visit
SYM_FUNC_END(stack_stress_warn_at_place)

/* Loads from an address that is not canonical. */
SYM_TYPED_FUNC_START(stack_stress_gp_at_place)
	begin_visit
	movabs	$0x8000000000000000, %rdx
.Lload:
	mov	(%rdx), %rdx
	jmp	.Lloaded
.Lfixup:
	movq	$1, VISIT_PASSED(%rdi)
.Lloaded:
	end_visit
	_ASM_EXTABLE(.Lload, .Lfixup)
SYM_FUNC_END(stack_stress_gp_at_place)

/*
 * Goes down by that many bytes, rounded up, in frames of 1 KiB as a compiler makes
 * them, with a check in each if the second argument is true, and up again.
 */
SYM_TYPED_FUNC_START(stack_stress_go_down)
	push	%rbp
	mov	%rsp, %rbp
	mov	$1024, %ecx
.Lnext_frame:
	sub	%rcx, %rsp
#ifdef CONFIG_DYNAMIC_STACK_PROBE
	test	%sil, %sil
	jz	.Lno_check
	call	__sanitizer_cov_stack_depth
.Lno_check:
#endif
	push	%rcx
	pop	%rcx
	sub	%rcx, %rdi
	ja	.Lnext_frame
	mov	%rbp, %rsp
	pop	%rbp
	RET
SYM_FUNC_END(stack_stress_go_down)
