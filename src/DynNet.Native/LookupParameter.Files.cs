using DynNet.Native.Interop;

namespace DynNet.Native;

// One lookup parameter in files in DyNet's text format, as DyNet's savers and loaders treat it.
public sealed partial class LookupParameter
{
    /// <summary>
    /// Writes this lookup parameter alone in DyNet's text format. The file appears whole or not at all: a crash at any
    /// moment leaves the old one or the new one.
    /// </summary>
    /// <param name="path">The file, replaced if there is one.</param>
    /// <param name="key">The name under which it is written, such as <c>/E</c>; empty for its own.</param>
    /// <param name="withGradient">Whether the gradient is written too, where there is one.</param>
    /// <remarks>
    /// Several parameters and models go into one file by a stream, one after the other, under different names.
    /// </remarks>
    /// <exception cref="ArgumentException">The key is no name.</exception>
    /// <exception cref="InvalidOperationException">
    /// The gradient is wanted, and another call is writing the model's gradients.
    /// </exception>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="UnauthorizedAccessException">The file, or its folder, may not be written.</exception>
    /// <exception cref="IOException">The operating system failed to write the file.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void Save(string path, string key = "", bool withGradient = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(key);
        using Lease lease = _root.Lease();
        ModelFileCalls.OfLookupParameter.Save(Pointer, path, key, withGradient);
    }

    /// <summary>Writes this lookup parameter alone in DyNet's text format to a stream.</summary>
    /// <param name="stream">The stream; it stays open.</param>
    /// <param name="key">The name under which it is written, such as <c>/E</c>; empty for its own.</param>
    /// <param name="withGradient">Whether the gradient is written too, where there is one.</param>
    /// <param name="cancellationToken">Asked before each write to the stream.</param>
    /// <remarks>
    /// What the stream throws is passed on. What has been written by then, or by a cancellation, is in the stream.
    /// </remarks>
    /// <exception cref="ArgumentException">The key is no name.</exception>
    /// <exception cref="InvalidOperationException">
    /// The gradient is wanted, and another call is writing the model's gradients.
    /// </exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void Save(
        Stream stream, string key = "", bool withGradient = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(key);
        using Lease lease = _root.Lease();
        ModelFileCalls.OfLookupParameter.Save(Pointer, stream, key, withGradient, cancellationToken);
    }

    /// <summary>
    /// Reads the values of this lookup parameter from a file in DyNet's text format, and its gradient where the file has it;
    /// where it has none, the gradient is reset. It must be there with its shape; what else the file holds is ignored.
    /// On failure it is as it was.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="key">Its name in the file, such as <c>/E</c>; empty for its own.</param>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="ArgumentException">The key is no name.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="IOException">The operating system failed to read it.</exception>
    /// <exception cref="ModelFormatException">
    /// The file is damaged, or lacks the lookup parameter, or has it in another shape.
    /// </exception>
    /// <exception cref="InvalidOperationException">Another call is writing the model's gradients.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void Populate(string path, string key = "")
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(key);
        using Lease lease = _root.Lease();
        ModelFileCalls.OfLookupParameter.Populate(Pointer, path, key);
    }

    /// <summary>
    /// Reads the values of this lookup parameter from a stream in DyNet's text format, to its end, and its gradient where
    /// it has it; where it has none, the gradient is reset. It must be there with its shape; what else there is is
    /// ignored. On failure it is as it was.
    /// </summary>
    /// <param name="stream">The stream; it stays open.</param>
    /// <param name="key">Its name in the text, such as <c>/E</c>; empty for its own.</param>
    /// <param name="cancellationToken">Asked before each read of the stream.</param>
    /// <remarks>
    /// Must not run beside anything else that uses the model. What the stream throws is passed on.
    /// </remarks>
    /// <exception cref="ArgumentException">The key is no name.</exception>
    /// <exception cref="ModelFormatException">
    /// The text is damaged, or lacks the lookup parameter, or has it in another shape.
    /// </exception>
    /// <exception cref="InvalidOperationException">Another call is writing the model's gradients.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled; the lookup parameter is as it was.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void Populate(Stream stream, string key = "", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(key);
        using Lease lease = _root.Lease();
        ModelFileCalls.OfLookupParameter.Populate(Pointer, stream, key, cancellationToken);
    }
}
