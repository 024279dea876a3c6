namespace DynNet.Native.Interop;

/// <summary>
/// Calls that write and read one kind of what files hold: models, parameters or lookup parameters. The caller keeps it
/// alive.
/// </summary>
internal sealed unsafe class ModelFileCalls
{
    private readonly delegate*<nint, byte*, long, byte*, long, int, NativeStatus> _save;
    private readonly delegate*<
        nint, delegate* unmanaged[Cdecl]<void*, byte*, long, NativeStatus>, void*, byte*, long, int, NativeStatus> _saveTo;
    private readonly delegate*<nint, byte*, long, byte*, long, NativeStatus> _populate;
    private readonly delegate*<nint, byte*, long, byte*, long, NativeStatus> _populateFrom;

    private ModelFileCalls(
        delegate*<nint, byte*, long, byte*, long, int, NativeStatus> save,
        delegate*<
            nint, delegate* unmanaged[Cdecl]<void*, byte*, long, NativeStatus>, void*, byte*, long, int, NativeStatus> saveTo,
        delegate*<nint, byte*, long, byte*, long, NativeStatus> populate,
        delegate*<nint, byte*, long, byte*, long, NativeStatus> populateFrom)
    {
        _save = save;
        _saveTo = saveTo;
        _populate = populate;
        _populateFrom = populateFrom;
    }

    internal static ModelFileCalls OfModel { get; } = new(
        &NativeMethods.dn_model_save, &NativeMethods.dn_model_save_to, &NativeMethods.dn_model_populate,
        &NativeMethods.dn_model_populate_from);

    internal static ModelFileCalls OfParameter { get; } = new(
        &NativeMethods.dn_parameter_save, &NativeMethods.dn_parameter_save_to, &NativeMethods.dn_parameter_populate,
        &NativeMethods.dn_parameter_populate_from);

    internal static ModelFileCalls OfLookupParameter { get; } = new(
        &NativeMethods.dn_lookup_parameter_save, &NativeMethods.dn_lookup_parameter_save_to,
        &NativeMethods.dn_lookup_parameter_populate, &NativeMethods.dn_lookup_parameter_populate_from);

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

    internal static nint LoadParameters(nint model, string path, string key, string? name) =>
        LoadOne(&NativeMethods.dn_model_load_parameters, model, path, key, name);

    internal static nint LoadLookupParameters(nint model, string path, string key, string? name) =>
        LoadOne(&NativeMethods.dn_model_load_lookup_parameters, model, path, key, name);

    private static nint LoadOne(
        delegate*<nint, byte*, long, byte*, long, byte*, long, nint*, NativeStatus> load, nint model, string path,
        string key, string? name)
    {
        ReadOnlySpan<byte> path8 = Text.Encode(path);
        ReadOnlySpan<byte> key8 = Text.Encode(key);
        ReadOnlySpan<byte> name8 = Text.Encode(name);
        nint made;
        fixed (byte* pathBytes = path8)
        fixed (byte* keyBytes = key8)
        fixed (byte* nameBytes = name8)
        {
            NativeStatus status = load(
                model, pathBytes, path8.Length, keyBytes, key8.Length, nameBytes, name8.Length, &made);
            Status.Check(status, path);
        }
        return made;
    }

    internal void Save(nint saved, string path, string key, bool withGradients)
    {
        ReadOnlySpan<byte> path8 = Text.Encode(path);
        ReadOnlySpan<byte> key8 = Text.Encode(key);
        fixed (byte* pathBytes = path8)
        fixed (byte* keyBytes = key8)
        {
            NativeStatus status =
                _save(saved, pathBytes, path8.Length, keyBytes, key8.Length, withGradients ? 1 : 0);
            // What has to be there already when a file is written is its folder.
            if (status == NativeStatus.NotFound)
                throw new DirectoryNotFoundException(LibraryCalls.LastError());
            Status.Check(status, path);
        }
    }

    internal void Save(nint saved, Stream stream, string key, bool withGradients, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var target = new StreamTarget(stream, cancellationToken);
        ReadOnlySpan<byte> key8 = Text.Encode(key);
        fixed (byte* keyBytes = key8)
        {
            target.Check(
                _saveTo(saved, &StreamTarget.Write, target.Context, keyBytes, key8.Length, withGradients ? 1 : 0));
        }
    }

    internal void Populate(nint target, string path, string key)
    {
        ReadOnlySpan<byte> path8 = Text.Encode(path);
        ReadOnlySpan<byte> key8 = Text.Encode(key);
        fixed (byte* pathBytes = path8)
        fixed (byte* keyBytes = key8)
            Status.Check(_populate(target, pathBytes, path8.Length, keyBytes, key8.Length), path);
    }

    internal void Populate(nint target, Stream stream, string key, CancellationToken cancellationToken)
    {
        ReadOnlySpan<byte> key8 = Text.Encode(key);
        using NativeBuffer text = NativeBuffer.ReadAll(stream, cancellationToken);
        fixed (byte* keyBytes = key8)
            Status.Check(_populateFrom(target, text.Bytes, text.Count, keyBytes, key8.Length));
    }
}
