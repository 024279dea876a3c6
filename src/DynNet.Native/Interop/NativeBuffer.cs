using System.Runtime.InteropServices;

namespace DynNet.Native.Interop;

/// <summary>Bytes outside the managed heap, since a model file may be larger than an array can be.</summary>
internal unsafe ref struct NativeBuffer : IDisposable
{
    private const int PartSize = 1 << 20;

    private long _capacity;

    /// <summary>The first byte.</summary>
    internal byte* Bytes { get; private set; }

    /// <summary>How many bytes there are.</summary>
    internal long Count { get; private set; }

    /// <summary>Reads a stream to its end.</summary>
    internal static NativeBuffer ReadAll(Stream stream)
    {
        var buffer = new NativeBuffer();
        try
        {
            while (true)
            {
                if (buffer._capacity - buffer.Count < PartSize)
                    buffer.Grow();
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
    }

    private void Grow()
    {
        _capacity = Math.Max(_capacity * 2, 2 * PartSize);
        Bytes = (byte*)NativeMemory.Realloc(Bytes, checked((nuint)_capacity));
    }
}
