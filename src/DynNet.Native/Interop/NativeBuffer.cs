using System.Runtime.InteropServices;

namespace DynNet.Native.Interop;

/// <summary>
/// Bytes outside the managed heap, since a model file may be larger than an array can be. They count as used memory.
/// </summary>
internal unsafe ref struct NativeBuffer : IDisposable
{
    private const int PartSize = 1 << 20;

    private long _capacity;
    private long _reserved;

    /// <summary>The first byte.</summary>
    internal byte* Bytes { get; private set; }

    /// <summary>How many bytes there are.</summary>
    internal long Count { get; private set; }

    /// <summary>Reads a stream to its end.</summary>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="OperationCanceledException">The reading was cancelled.</exception>
    internal static NativeBuffer ReadAll(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new NativeBuffer();
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                buffer.MakeRoom();
                int read = stream.Read(new Span<byte>(buffer.Bytes + buffer.Count, PartSize));
                if (read == 0)
                    return buffer;
                buffer.Count += read;
            }
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        NativeMemory.Free(Bytes);
        Bytes = null;
        _ = NativeMethods.dn_memory_unreserve(_reserved);
        _reserved = 0;
    }

    /// <summary>Room for one part more.</summary>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    private void MakeRoom()
    {
        // A system that promises memory which it does not have would otherwise end the process, not the call. What is
        // not written yet is promised only, and does not count.
        long more = Count + PartSize - _reserved;
        if (more > 0)
        {
            if (NativeMethods.dn_memory_reserve(more) != NativeStatus.Ok)
                throw Insufficient(inner: null);
            _reserved += more;
        }
        if (_capacity - Count >= PartSize)
            return;
        long capacity = Math.Max(_capacity * 2, 2 * PartSize);
        try
        {
            Bytes = (byte*)NativeMemory.Realloc(Bytes, checked((nuint)capacity));
        }
        catch (Exception exception) when (exception is OutOfMemoryException or OverflowException)
        {
            throw Insufficient(exception);
        }
        _capacity = capacity;
    }

    // The bytes so far are still there to be freed: the process is sound and may go on.
    private readonly InsufficientMemoryException Insufficient(Exception? inner) =>
        new($"The memory does not suffice for more than {Count} bytes of a model's text.", inner);
}
