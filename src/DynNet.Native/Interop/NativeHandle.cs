using System.Runtime.InteropServices;

namespace DynNet.Native.Interop;

/// <summary>Owns a reference to a native object. Those that are left to the finalizer are counted.</summary>
internal abstract class NativeHandle : SafeHandle
{
    /// <summary>Takes over a reference.</summary>
    private protected NativeHandle(nint reference)
        : base(0, ownsHandle: true) => SetHandle(reference);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            base.Dispose(disposing);
            return;
        }
        long before = NativeMethods.dn_memory_used();
        base.Dispose(disposing);
        Reclaimer.Finalized(before - NativeMethods.dn_memory_used());
    }
}
