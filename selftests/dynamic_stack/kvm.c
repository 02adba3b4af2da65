// SPDX-License-Identifier: GPL-2.0
/*
 * A thread that runs a guest owns stack for what the host does for it, where KVM
 * asks for that (CONFIG_DYNAMIC_STACK_EXPAND_SITES), and on AMD all of it where stacks
 * are mapped on demand: nobody can do that while the guest's TSS is loaded.
 */
#include "kselftest_harness.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "counters.h"
#include "files.h"

#define HLT		0xf4
#define CODE		0x1000
#define ROUNDS		100

static struct method method;

static bool start_at(int vcpu, unsigned long address)
{
	struct kvm_regs regs = { .rip = address, .rflags = 2 };
	struct kvm_sregs sregs;

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		return false;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	return !ioctl(vcpu, KVM_SET_SREGS, &sregs) && !ioctl(vcpu, KVM_SET_REGS, &regs);
}

TEST(guest_halts)
{
	int kvm = open("/dev/kvm", O_RDWR), vm, vcpu, i;
	struct kvm_userspace_memory_region region;
	long page = sysconf(_SC_PAGESIZE), owned;
	unsigned char *memory;
	struct kvm_run *run;

	if (kvm < 0)
		SKIP(return, "needs CONFIG_KVM and a CPU that runs guests: %s", strerror(errno));
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	ASSERT_GE(vm, 0);
	memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	*memory = HLT;
	region = (struct kvm_userspace_memory_region) {
		.guest_phys_addr = CODE,
		.memory_size = page,
		.userspace_addr = (unsigned long)memory,
	};
	ASSERT_EQ(0, ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region));
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	ASSERT_GE(vcpu, 0);
	run = mmap(NULL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE,
		   MAP_SHARED, vcpu, 0);
	ASSERT_NE(MAP_FAILED, run);
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_TRUE(start_at(vcpu, CODE));
		ASSERT_EQ(0, ioctl(vcpu, KVM_RUN, 0));
		ASSERT_EQ((__u32)KVM_EXIT_HLT, run->exit_reason);
	}
	owned = read_number(EXPAND_FILE, "owned_pages");
	TH_LOG("%s: %d guests halted, the thread owns %ld pages", method.name, ROUNDS, owned);
	if (owned < 0)
		SKIP(return, "needs the module dynamic_stack_expand to tell what a thread owns");
	if (has_config("CONFIG_DYNAMIC_STACK_EXPAND_SITES"))
		EXPECT_GE(owned, 2);
	if (!access("/sys/module/kvm_amd", F_OK) && strcmp(method.name, "lend"))
		EXPECT_EQ(method.slots, owned);
}

int main(int argc, char **argv)
{
	method = require_method();
	return test_harness_run(argc, argv);
}
