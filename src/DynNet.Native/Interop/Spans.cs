namespace DynNet.Native.Interop;

/// <summary>Native arrays seen as spans.</summary>
internal static unsafe class Spans
{
    /// <summary>Lent values as a span.</summary>
    /// <exception cref="InvalidOperationException">There are more than a span can hold.</exception>
    internal static ReadOnlySpan<float> Of(float* values, long count)
    {
        if (count > int.MaxValue)
        {
            throw new InvalidOperationException(
                $"The tensor has {count} elements, more than the {int.MaxValue} that one span can hold.");
        }
        return new ReadOnlySpan<float>(values, (int)count);
    }
}
