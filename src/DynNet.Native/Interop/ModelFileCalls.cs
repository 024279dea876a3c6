using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

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
        var target = new Target(stream, cancellationToken);
        GCHandle handle = GCHandle.Alloc(target);
        try
        {
            ReadOnlySpan<byte> key8 = Text.Encode(key);
            fixed (byte* keyBytes = key8)
            {
                NativeStatus status = NativeMethods.dn_model_save_to(
                    model, &Write, (void*)GCHandle.ToIntPtr(handle), keyBytes, key8.Length, withGradients ? 1 : 0);
                // What the stream itself threw says more than that writing failed.
                target.Failure?.Throw();
                Status.Check(status);
            }
        }
        finally
        {
            handle.Free();
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

    // Nothing may unwind into native code: an exception waits in the target until the call is back.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static NativeStatus Write(void* context, byte* bytes, long count)
    {
        var target = (Target)GCHandle.FromIntPtr((nint)context).Target!;
        try
        {
            for (long done = 0; done < count;)
            {
                target.CancellationToken.ThrowIfCancellationRequested();
                int part = (int)Math.Min(count - done, 1 << 30);
                target.Stream.Write(new ReadOnlySpan<byte>(bytes + done, part));
                done += part;
            }
            return NativeStatus.Ok;
        }
#pragma warning disable CA1031 // whatever it is, it is thrown again on the managed side
        catch (Exception exception)
#pragma warning restore CA1031
        {
            target.Failure = ExceptionDispatchInfo.Capture(exception);
            return exception is OperationCanceledException ? NativeStatus.Cancelled : NativeStatus.Io;
        }
    }

    private sealed class Target(Stream stream, CancellationToken cancellationToken)
    {
        internal Stream Stream { get; } = stream;

        internal CancellationToken CancellationToken { get; } = cancellationToken;

        internal ExceptionDispatchInfo? Failure { get; set; }
    }
}
