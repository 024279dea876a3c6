namespace DynNet.Native.Interop;

/// <summary>A file that the library writes, as those of models: it appears whole at <see cref="Commit"/>, or not at all.
/// </summary>
internal sealed unsafe class WholeFile : Stream
{
    private readonly FileHandle _file;

    private WholeFile(string path)
    {
        ReadOnlySpan<byte> path8 = Text.Encode(path);
        nint file;
        fixed (byte* pathBytes = path8)
        {
            NativeStatus status = NativeMethods.dn_file_create(pathBytes, path8.Length, &file);
            // What has to be there already when a file is written is its folder.
            if (status == NativeStatus.NotFound)
                throw new DirectoryNotFoundException(LibraryCalls.LastError());
            Status.Check(status, path);
        }
        _file = new FileHandle(file);
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Makes a file of what an action writes. If the action throws, the old file stays.</summary>
    internal static void Write(string path, Action<Stream> write)
    {
        using var file = new WholeFile(path);
        write(file);
        file.Commit();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        fixed (byte* bytes = buffer)
            Status.Check(NativeMethods.dn_file_write(_file.DangerousGetHandle(), bytes, buffer.Length));
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    // What was written is with the operating system already.
    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _file.Dispose();
        base.Dispose(disposing);
    }

    private void Commit() => Status.Check(NativeMethods.dn_file_commit(_file.DangerousGetHandle()));
}
