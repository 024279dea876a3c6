namespace DynNet.Native.Interop;

/// <summary>Calls that read and write model files. The caller keeps the model alive.</summary>
internal static unsafe class ModelFileCalls
{
    internal static void Save(nint model, string path, string key, bool withGradients)
    {
        ReadOnlySpan<byte> path8 = Text.Encode(path);
        ReadOnlySpan<byte> key8 = Text.Encode(key);
        fixed (byte* pathBytes = path8)
        fixed (byte* keyBytes = key8)
        {
            NativeStatus status = NativeMethods.dn_model_save(
                model, pathBytes, path8.Length, keyBytes, key8.Length, withGradients ? 1 : 0);
            // What has to be there already when a file is written is its folder.
            if (status == NativeStatus.NotFound)
                throw new DirectoryNotFoundException(LibraryCalls.LastError());
            Status.Check(status, path);
        }
    }

    internal static void Save(
        nint model, Stream stream, string key, bool withGradients, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var target = new StreamTarget(stream, cancellationToken);
        ReadOnlySpan<byte> key8 = Text.Encode(key);
        fixed (byte* keyBytes = key8)
        {
            target.Check(
                NativeMethods.dn_model_save_to(
                    model, &StreamTarget.Write, target.Context, keyBytes, key8.Length, withGradients ? 1 : 0));
        }
    }

    internal static ModelHandle Load(string path, string key)
    {
        ReadOnlySpan<byte> path8 = Text.Encode(path);
        ReadOnlySpan<byte> key8 = Text.Encode(key);
        nint model;
        fixed (byte* pathBytes = path8)
        fixed (byte* keyBytes = key8)
            Status.Check(NativeMethods.dn_model_load(pathBytes, path8.Length, keyBytes, key8.Length, &model), path);
        return new ModelHandle(model);
    }

    internal static ModelHandle Load(Stream stream, string key, CancellationToken cancellationToken)
    {
        ReadOnlySpan<byte> key8 = Text.Encode(key);
        using NativeBuffer text = NativeBuffer.ReadAll(stream, cancellationToken);
        nint model;
        fixed (byte* keyBytes = key8)
            Status.Check(NativeMethods.dn_model_load_from(text.Bytes, text.Count, keyBytes, key8.Length, &model));
        return new ModelHandle(model);
    }

    internal static void Populate(nint model, string path, string key)
    {
        ReadOnlySpan<byte> path8 = Text.Encode(path);
        ReadOnlySpan<byte> key8 = Text.Encode(key);
        fixed (byte* pathBytes = path8)
        fixed (byte* keyBytes = key8)
            Status.Check(NativeMethods.dn_model_populate(model, pathBytes, path8.Length, keyBytes, key8.Length), path);
    }

    internal static void Populate(nint model, Stream stream, string key, CancellationToken cancellationToken)
    {
        ReadOnlySpan<byte> key8 = Text.Encode(key);
        using NativeBuffer text = NativeBuffer.ReadAll(stream, cancellationToken);
        fixed (byte* keyBytes = key8)
            Status.Check(NativeMethods.dn_model_populate_from(model, text.Bytes, text.Count, keyBytes, key8.Length));
    }
}
