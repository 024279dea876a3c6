using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace DynNet.Native.Interop;

/// <summary>A stream that native code writes to, by <see cref="Write"/> with <see cref="Context"/>.</summary>
internal sealed unsafe class StreamTarget : IDisposable
{
    private readonly Stream _stream;
    private readonly CancellationToken _cancellationToken;
    private GCHandle _self;
    private ExceptionDispatchInfo? _failure;

    internal StreamTarget(Stream stream, CancellationToken cancellationToken)
    {
        _stream = stream;
        _cancellationToken = cancellationToken;
        _self = GCHandle.Alloc(this);
    }

    internal void* Context => (void*)GCHandle.ToIntPtr(_self);

    public void Dispose() => _self.Free();

    // Nothing may unwind into native code: an exception waits in the target until the call is back.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    internal static NativeStatus Write(void* context, byte* bytes, long count)
    {
        var target = (StreamTarget)GCHandle.FromIntPtr((nint)context).Target!;
        try
        {
            for (long done = 0; done < count;)
            {
                target._cancellationToken.ThrowIfCancellationRequested();
                int part = (int)Math.Min(count - done, 1 << 30);
                target._stream.Write(new ReadOnlySpan<byte>(bytes + done, part));
                done += part;
            }
            return NativeStatus.Ok;
        }
#pragma warning disable CA1031 // whatever it is, it is thrown again on the managed side
        catch (Exception exception)
#pragma warning restore CA1031
        {
            target._failure = ExceptionDispatchInfo.Capture(exception);
            return exception is OperationCanceledException ? NativeStatus.Cancelled : NativeStatus.Io;
        }
    }

    /// <summary>Throws what the stream threw, which says more than that writing failed, or by the status.</summary>
    internal void Check(NativeStatus status)
    {
        _failure?.Throw();
        Status.Check(status);
    }
}
