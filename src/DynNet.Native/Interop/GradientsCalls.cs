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
}
