namespace DynNet.Native.Interop;

/// <summary>Calls that read and write the state of trainers. The caller keeps the trainer alive.</summary>
internal static unsafe class TrainerFileCalls
{
    internal static void Save(nint trainer, string path)
    {
        ReadOnlySpan<byte> path8 = Text.Encode(path);
        fixed (byte* pathBytes = path8)
        {
            NativeStatus status = NativeMethods.dn_trainer_save(trainer, pathBytes, path8.Length);
            // What has to be there already when a file is written is its folder.
            if (status == NativeStatus.NotFound)
                throw new DirectoryNotFoundException(LibraryCalls.LastError());
            Status.Check(status, path);
        }
    }

    internal static void Save(nint trainer, Stream stream, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var target = new StreamTarget(stream, cancellationToken);
        target.Check(NativeMethods.dn_trainer_save_to(trainer, &StreamTarget.Write, target.Context));
    }

    internal static void Populate(nint trainer, string path)
    {
        ReadOnlySpan<byte> path8 = Text.Encode(path);
        fixed (byte* pathBytes = path8)
            Status.Check(NativeMethods.dn_trainer_populate(trainer, pathBytes, path8.Length), path);
    }

    internal static void Populate(nint trainer, Stream stream, CancellationToken cancellationToken)
    {
        using NativeBuffer text = NativeBuffer.ReadAll(stream, cancellationToken);
        Status.Check(NativeMethods.dn_trainer_populate_from(trainer, text.Bytes, text.Count));
    }
}
