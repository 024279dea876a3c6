namespace DynNet.Native.Interop;

/// <summary>Calls about parameters and lookup parameters. The caller keeps their model alive.</summary>
internal static unsafe class ParameterCalls
{
    internal static string Name(nint parameter)
    {
        byte* text;
        long length;
        Status.Check(NativeMethods.dn_parameter_name(parameter, &text, &length));
        return Text.Decode(text, length);
    }

    internal static Dim Dim(nint parameter)
    {
        NativeDim dim;
        Status.Check(NativeMethods.dn_parameter_dim(parameter, &dim));
        return Native.Dim.From(&dim);
    }

    internal static ReadOnlySpan<float> Values(nint parameter)
    {
        float* values;
        long count;
        Status.Check(NativeMethods.dn_parameter_values(parameter, &values, &count));
        return Spans.Of(values, count);
    }

    internal static void SetValues(nint parameter, ReadOnlySpan<float> values)
    {
        fixed (float* first = values)
            Status.Check(NativeMethods.dn_parameter_set_values(parameter, first, values.Length));
    }

    internal static ReadOnlySpan<float> Gradient(nint parameter)
    {
        float* values;
        long count;
        Status.Check(NativeMethods.dn_parameter_gradient(parameter, &values, &count));
        return Spans.Of(values, count);
    }

    internal static string LookupName(nint parameter)
    {
        byte* text;
        long length;
        Status.Check(NativeMethods.dn_lookup_parameter_name(parameter, &text, &length));
        return Text.Decode(text, length);
    }

    internal static Dim LookupDim(nint parameter)
    {
        NativeDim dim;
        Status.Check(NativeMethods.dn_lookup_parameter_dim(parameter, &dim));
        return Native.Dim.From(&dim);
    }

    internal static int LookupRows(nint parameter)
    {
        long rows;
        Status.Check(NativeMethods.dn_lookup_parameter_rows(parameter, &rows));
        return checked((int)rows);
    }

    internal static ReadOnlySpan<float> LookupValues(nint parameter)
    {
        float* values;
        long count;
        Status.Check(NativeMethods.dn_lookup_parameter_values(parameter, &values, &count));
        return Spans.Of(values, count);
    }

    /// <summary>One row of a table that may hold more values than one span.</summary>
    internal static ReadOnlySpan<float> LookupRow(nint parameter, int row, long rowSize)
    {
        float* values;
        long count;
        Status.Check(NativeMethods.dn_lookup_parameter_values(parameter, &values, &count));
        return Spans.Of(values + row * rowSize, rowSize);
    }

    internal static void LookupSetValues(nint parameter, ReadOnlySpan<float> values)
    {
        fixed (float* first = values)
            Status.Check(NativeMethods.dn_lookup_parameter_set_values(parameter, first, values.Length));
    }

    internal static void LookupSetRow(nint parameter, int row, ReadOnlySpan<float> values)
    {
        fixed (float* first = values)
            Status.Check(NativeMethods.dn_lookup_parameter_set_row(parameter, row, first, values.Length));
    }

    internal static void LookupRowGradient(nint parameter, int row, Span<float> values)
    {
        fixed (float* first = values)
            Status.Check(NativeMethods.dn_lookup_parameter_row_gradient(parameter, row, first, values.Length));
    }

    internal static bool IsUpdated(nint parameter)
    {
        int updated;
        Status.Check(NativeMethods.dn_parameter_updated(parameter, &updated));
        return updated != 0;
    }

    internal static bool LookupIsUpdated(nint parameter)
    {
        int updated;
        Status.Check(NativeMethods.dn_lookup_parameter_updated(parameter, &updated));
        return updated != 0;
    }
}
