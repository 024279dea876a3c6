using DynNet.Native.Interop;

namespace DynNet.Native;

// The crossing of a shape to the native side and back.
public readonly partial struct Dim
{
    /// <summary>Writes the shape for a native call.</summary>
    internal unsafe void CopyTo(NativeDim* native)
    {
        for (int i = 0; i < MaxRank; i++)
            native->d[i] = (uint)this[i];
        native->nd = (uint)Rank;
        native->bd = (uint)Batch;
    }

    /// <summary>Reads a shape that a native call wrote.</summary>
    internal static unsafe Dim From(NativeDim* native)
    {
        Span<int> sizes = stackalloc int[MaxRank];
        for (int i = 0; i < MaxRank; i++)
            sizes[i] = checked((int)native->d[i]);
        return new Dim(sizes[..(int)native->nd], checked((int)native->bd));
    }
}
