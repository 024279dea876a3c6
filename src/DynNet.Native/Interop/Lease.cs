using System.Runtime.InteropServices;

namespace DynNet.Native.Interop;

/// <summary>
/// Keeps a native object from being freed while a call uses it, even if another thread disposes its owner meanwhile.
/// For all but the hottest calls, which it would make three times slower.
/// </summary>
internal readonly ref struct Lease : IDisposable
{
    private readonly SafeHandle? _handle;

    /// <summary>Takes the lease.</summary>
    /// <exception cref="ObjectDisposedException">
    /// The object is disposed; the message names the owner's type.
    /// </exception>
    internal Lease(SafeHandle handle, object owner)
    {
        ObjectDisposedException.ThrowIf(handle.IsClosed, owner);
        bool added = false;
        handle.DangerousAddRef(ref added);
        _handle = handle;
    }

    /// <summary>The native object.</summary>
    internal nint Pointer => _handle!.DangerousGetHandle();

    /// <summary>Ends the lease.</summary>
    public void Dispose() => _handle?.DangerousRelease();
}
