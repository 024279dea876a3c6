namespace DynNet.Native.Interop;

/// <summary>Calls about gradient sets. The caller keeps what it passes alive.</summary>
internal static unsafe class GradientsCalls
{
    internal static GradientsHandle Create(nint model)
    {
        nint gradients;
        Status.Check(NativeMethods.dn_gradients_create(model, &gradients));
        return new GradientsHandle(gradients);
    }

    internal static ReadOnlySpan<float> Parameter(nint gradients, nint parameter)
    {
        float* values;
        long count;
        Status.Check(NativeMethods.dn_gradients_parameter(gradients, parameter, &values, &count));
        return Spans.Of(values, count);
    }

    internal static void LookupRow(nint gradients, nint table, int row, Span<float> values)
    {
        fixed (float* first = values)
            Status.Check(NativeMethods.dn_gradients_lookup_row(gradients, table, row, first, values.Length));
    }
}
