using DynNet.Native.Interop;

namespace DynNet.Native;

// The trainer's state in files.
public abstract partial class Trainer
{
    /// <summary>
    /// Writes all that the trainer remembers, its settings but for <see cref="Schedule"/> included. Training that goes
    /// on after <see cref="Populate(string)"/>, with the model saved and populated beside it, gives the same bits as
    /// training that never stopped. The file appears whole or not at all.
    /// </summary>
    /// <param name="path">The file, replaced if there is one.</param>
    /// <remarks>
    /// <see cref="Model.WeightDecay"/> and what is frozen are the model's, and in no file: set them again.
    /// </remarks>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="UnauthorizedAccessException">The file, or its folder, may not be written.</exception>
    /// <exception cref="IOException">The operating system failed to write the file.</exception>
    /// <exception cref="InvalidOperationException">The model's values are their averages.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using Lease lease = Lease();
        TrainerFileCalls.Save(lease.Pointer, path);
    }

    /// <summary>Writes what <see cref="Save(string)"/> writes to a stream.</summary>
    /// <param name="stream">The stream; it stays open.</param>
    /// <param name="cancellationToken">Asked before each write to the stream.</param>
    /// <remarks>
    /// What the stream throws is passed on. What has been written by then, or by a cancellation, is in the stream.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The model's values are their averages.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public void Save(Stream stream, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using Lease lease = Lease();
        TrainerFileCalls.Save(lease.Pointer, stream, cancellationToken);
    }

    /// <summary>
    /// Reads what <see cref="Save(string)"/> wrote from a trainer of the same kind, whose model had the same
    /// parameters. On failure the trainer is as it was.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="IOException">The operating system failed to read it.</exception>
    /// <exception cref="ModelFormatException">
    /// The file is damaged, or of another kind of trainer or another model; the message says what differs.
    /// </exception>
    /// <exception cref="InvalidOperationException">The model's values are their averages.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    public void Populate(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using Lease lease = Lease();
        TrainerFileCalls.Populate(lease.Pointer, path);
    }

    /// <summary>Reads a stream to its end, as <see cref="Populate(string)"/> reads a file.</summary>
    /// <param name="stream">The stream; it stays open.</param>
    /// <param name="cancellationToken">Asked before each read of the stream.</param>
    /// <remarks>What the stream throws is passed on.</remarks>
    /// <exception cref="ModelFormatException">
    /// The text is damaged, or of another kind of trainer or another model; the message says what differs.
    /// </exception>
    /// <exception cref="InvalidOperationException">The model's values are their averages.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled; the trainer is as it was.</exception>
    public void Populate(Stream stream, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using Lease lease = Lease();
        TrainerFileCalls.Populate(lease.Pointer, stream, cancellationToken);
    }
}
