/** `struct timex` of 64-bit Linux is 208 bytes; more does no harm. */
const timexBytes = 256;
/** Where its `status` lies, and the bit of a clock that nothing corrects (include/uapi/linux/timex.h). */
const statusAt = 40;
const STA_UNSYNC = 0x0040;

/**
 * Whether a time daemon, whichever it is, keeps the kernel's clock right: `adjtimex` without a change, which anybody may
 * ask. Undefined elsewhere than on Linux with glibc.
 */
export async function isClockSynchronized(): Promise<boolean | undefined> {
	if (process.platform !== 'linux') return undefined;
	try {
		const { default: koffi } = await import('koffi');
		const adjtimex = koffi.load('libc.so.6').func('int adjtimex(_Inout_ uint8_t *timex)');
		const timex = Buffer.alloc(timexBytes);
		if (adjtimex(timex) < 0) return undefined;
		return (timex.readInt32LE(statusAt) & STA_UNSYNC) === 0;
	} catch {
		// Another C library has another place for it; the answer is then unknown, and no fault.
		return undefined;
	}
}
