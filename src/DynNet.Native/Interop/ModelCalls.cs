namespace DynNet.Native.Interop;

/// <summary>Calls about models, apart from their files. The caller keeps the model alive.</summary>
internal static unsafe class ModelCalls
{
    internal static ModelHandle Create(long seed)
    {
        nint model;
        Status.Check(NativeMethods.dn_model_create(unchecked((ulong)seed), &model));
        return new ModelHandle(model);
    }

    internal static ModelHandle AddSubcollection(nint model, string name)
    {
        ReadOnlySpan<byte> utf8 = Text.Encode(name);
        nint subcollection;
        fixed (byte* bytes = utf8)
            Status.Check(NativeMethods.dn_model_add_subcollection(model, bytes, utf8.Length, &subcollection));
        return new ModelHandle(subcollection);
    }

    internal static long SubcollectionCount(nint model)
    {
        long count;
        Status.Check(NativeMethods.dn_model_subcollections_count(model, &count));
        return count;
    }

    internal static ModelHandle SubcollectionAt(nint model, long index)
    {
        nint subcollection;
        Status.Check(NativeMethods.dn_model_subcollection_at(model, index, &subcollection));
        return new ModelHandle(subcollection);
    }

    internal static ModelHandle? FindSubcollection(nint model, string path)
    {
        ReadOnlySpan<byte> utf8 = Text.Encode(path);
        nint subcollection;
        fixed (byte* bytes = utf8)
            Status.Check(NativeMethods.dn_model_find_subcollection(model, bytes, utf8.Length, &subcollection));
        return subcollection == 0 ? null : new ModelHandle(subcollection);
    }

    internal static MarkHandle Mark(nint model)
    {
        nint mark;
        Status.Check(NativeMethods.dn_mark_create(model, &mark));
        return new MarkHandle(mark);
    }

    internal static string Path(nint model)
    {
        byte* text;
        long length;
        Status.Check(NativeMethods.dn_model_path(model, &text, &length));
        return Text.Decode(text, length);
    }

    internal static nint AddParameters(nint model, Dim dim, Initializer initializer, string? name)
    {
        ReadOnlySpan<byte> utf8 = Text.Encode(name);
        NativeDim shape;
        dim.CopyTo(&shape);
        nint parameter;
        ReadOnlySpan<byte> path8 = Text.Encode(initializer.Path);
        fixed (byte* bytes = utf8)
        fixed (float* values = initializer.Values)
        fixed (byte* path = path8)
        {
            NativeInitializer native = Describe(initializer, values, path, path8.Length);
            Status.Check(
                NativeMethods.dn_model_add_parameters(model, &shape, &native, bytes, utf8.Length, &parameter),
                initializer.Path);
        }
        return parameter;
    }

    internal static nint AddLookupParameters(nint model, int rows, Dim dim, Initializer initializer, string? name)
    {
        ReadOnlySpan<byte> utf8 = Text.Encode(name);
        NativeDim shape;
        dim.CopyTo(&shape);
        nint parameter;
        ReadOnlySpan<byte> path8 = Text.Encode(initializer.Path);
        fixed (byte* bytes = utf8)
        fixed (float* values = initializer.Values)
        fixed (byte* path = path8)
        {
            NativeInitializer native = Describe(initializer, values, path, path8.Length);
            Status.Check(
                NativeMethods.dn_model_add_lookup_parameters(
                    model, rows, &shape, &native, bytes, utf8.Length, &parameter),
                initializer.Path);
        }
        return parameter;
    }

    internal static long ParameterCount(nint model)
    {
        long count;
        Status.Check(NativeMethods.dn_model_parameters_count(model, &count));
        return count;
    }

    internal static nint ParameterAt(nint model, long index)
    {
        nint parameter;
        Status.Check(NativeMethods.dn_model_parameter_at(model, index, &parameter));
        return parameter;
    }

    internal static long LookupParametersCount(nint model)
    {
        long count;
        Status.Check(NativeMethods.dn_model_lookup_parameters_count(model, &count));
        return count;
    }

    internal static nint LookupParameterAt(nint model, long index)
    {
        nint parameter;
        Status.Check(NativeMethods.dn_model_lookup_parameter_at(model, index, &parameter));
        return parameter;
    }

    internal static long ValueCount(nint model)
    {
        long count;
        Status.Check(NativeMethods.dn_model_values_count(model, &count));
        return count;
    }

    internal static long UpdatedValueCount(nint model)
    {
        long count;
        Status.Check(NativeMethods.dn_model_updated_values_count(model, &count));
        return count;
    }

    internal static double GradientNorm(nint model)
    {
        double norm;
        Status.Check(NativeMethods.dn_model_gradient_norm(model, &norm));
        return norm;
    }

    internal static double WeightDecay(nint model)
    {
        double lambda;
        Status.Check(NativeMethods.dn_model_weight_decay(model, &lambda));
        return lambda;
    }

    private static NativeInitializer Describe(Initializer initializer, float* values, byte* path, int pathLength)
    {
        return new NativeInitializer
        {
            kind = (int)initializer.Kind,
            a = initializer.A,
            b = initializer.B,
            form = (int)initializer.Form,
            values = values,
            values_count = initializer.Values.Length,
            path = path,
            path_length = pathLength,
        };
    }
}
