using DynNet.Native.Interop;

namespace DynNet.Native;

// Files in DyNet's text format.
public sealed partial class Model
{
    /// <summary>Reads a file in DyNet's text format into a new model, making what the file names.</summary>
    /// <param name="path">The file.</param>
    /// <param name="key">
    /// Reads only what lies below this path, such as <c>/encoder/</c>, and leaves the path off the names; empty for
    /// all.
    /// </param>
    /// <returns>The model.</returns>
    /// <remarks>
    /// The format does not say how many entries there are: of a file that was cut between two, those before are read.
    /// </remarks>
    /// <exception cref="ArgumentException">The key is not a path.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="IOException">The operating system failed to read it.</exception>
    /// <exception cref="ModelFormatException">The file is damaged or of another format.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    public static Model Load(string path, string key = "")
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(key);
        return new Model(ModelFileCalls.Load(path, key), root: null);
    }

    /// <summary>Reads a stream in DyNet's text format to its end into a new model, making what it names.</summary>
    /// <param name="stream">The stream; it stays open.</param>
    /// <param name="key">
    /// Reads only what lies below this path, such as <c>/encoder/</c>, and leaves the path off the names; empty for
    /// all.
    /// </param>
    /// <param name="cancellationToken">Asked before each read of the stream.</param>
    /// <returns>The model.</returns>
    /// <remarks>As for <see cref="Load(string, string)"/>. What the stream throws is passed on.</remarks>
    /// <exception cref="ArgumentException">The key is not a path.</exception>
    /// <exception cref="ModelFormatException">The text is damaged or of another format.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public static Model Load(Stream stream, string key = "", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(key);
        return new Model(ModelFileCalls.Load(stream, key, cancellationToken), root: null);
    }

    /// <summary>
    /// Writes the model in DyNet's text format. The file appears whole or not at all: a crash at any moment leaves the
    /// old one or the new one.
    /// </summary>
    /// <param name="path">The file, replaced if there is one.</param>
    /// <param name="key">
    /// The path under which the names are written, such as <c>/decoder/</c>; empty for the names as they are.
    /// </param>
    /// <param name="withGradients">Whether gradients are written too, where they are not 0.</param>
    /// <exception cref="ArgumentException">The key is not a path.</exception>
    /// <exception cref="InvalidOperationException">
    /// The gradients are wanted, and another call is writing them.
    /// </exception>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="UnauthorizedAccessException">The file, or its folder, may not be written.</exception>
    /// <exception cref="IOException">The operating system failed to write the file.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void Save(string path, string key = "", bool withGradients = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(key);
        using Lease lease = Lease();
        ModelFileCalls.OfModel.Save(lease.Pointer, path, key, withGradients);
    }

    /// <summary>Writes the model in DyNet's text format to a stream.</summary>
    /// <param name="stream">The stream; it stays open.</param>
    /// <param name="key">
    /// The path under which the names are written, such as <c>/decoder/</c>; empty for the names as they are.
    /// </param>
    /// <param name="withGradients">Whether gradients are written too, where they are not 0.</param>
    /// <param name="cancellationToken">Asked before each write to the stream.</param>
    /// <remarks>
    /// What the stream throws is passed on. What has been written by then, or by a cancellation, is in the stream.
    /// </remarks>
    /// <exception cref="ArgumentException">The key is not a path.</exception>
    /// <exception cref="InvalidOperationException">
    /// The gradients are wanted, and another call is writing them.
    /// </exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void Save(
        Stream stream, string key = "", bool withGradients = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(key);
        using Lease lease = Lease();
        ModelFileCalls.OfModel.Save(lease.Pointer, stream, key, withGradients, cancellationToken);
    }

    /// <summary>
    /// Reads the values of this model's parameters from a file in DyNet's text format, and their gradients where the
    /// file has them; those that it does not have are reset. Every parameter must be there with its shape; what else the
    /// file holds is ignored. On failure the model is as it was.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="key">
    /// The path in the file that corresponds to this model's own; empty for the names as they are.
    /// </param>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="ArgumentException">The key is not a path.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="IOException">The operating system failed to read it.</exception>
    /// <exception cref="InvalidOperationException">Another call is writing the gradients.</exception>
    /// <exception cref="ModelFormatException">
    /// The file is damaged, or lacks a parameter, or has it in another shape.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void Populate(string path, string key = "")
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(key);
        using Lease lease = Lease();
        ModelFileCalls.OfModel.Populate(lease.Pointer, path, key);
    }

    /// <summary>
    /// Reads the values of this model's parameters from a stream in DyNet's text format, to its end, and their gradients
    /// where it has them; those that it does not have are reset. Every parameter must be there with its shape; what else
    /// there is is ignored. On failure the model is as it was.
    /// </summary>
    /// <param name="stream">The stream; it stays open.</param>
    /// <param name="key">
    /// The path in the text that corresponds to this model's own; empty for the names as they are.
    /// </param>
    /// <param name="cancellationToken">Asked before each read of the stream.</param>
    /// <remarks>
    /// Must not run beside anything else that uses the model. What the stream throws is passed on.
    /// </remarks>
    /// <exception cref="ArgumentException">The key is not a path.</exception>
    /// <exception cref="InvalidOperationException">Another call is writing the gradients.</exception>
    /// <exception cref="ModelFormatException">
    /// The text is damaged, or lacks a parameter, or has it in another shape.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled; the model is as it was.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void Populate(Stream stream, string key = "", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(key);
        using Lease lease = Lease();
        ModelFileCalls.OfModel.Populate(lease.Pointer, stream, key, cancellationToken);
    }

    /// <summary>
    /// Adds a parameter with the shape, the values and the gradient that one has in a file in DyNet's text format. On
    /// failure the model is as it was.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="key">Its full name in the file, such as <c>/encoder/W</c>.</param>
    /// <param name="name">Its name in this model; null for a number.</param>
    /// <returns>The parameter.</returns>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="ArgumentException">The key or the name is none.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="IOException">The operating system failed to read it.</exception>
    /// <exception cref="ModelFormatException">The file is damaged, or has none of that name.</exception>
    /// <exception cref="InvalidOperationException">Another call is writing the model's gradients.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public Parameter LoadParameters(string path, string key, string? name = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentException.ThrowIfNullOrEmpty(key);
        using Lease lease = Lease();
        return new Parameter(_root, ModelFileCalls.LoadParameters(lease.Pointer, path, key, name));
    }

    /// <summary>
    /// Adds a lookup parameter with the shape, the values and the gradient that one has in a file in DyNet's text
    /// format. On failure the model is as it was.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="key">Its full name in the file, such as <c>/encoder/E</c>.</param>
    /// <param name="name">Its name in this model; null for a number.</param>
    /// <returns>The lookup parameter.</returns>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="ArgumentException">The key or the name is none.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="IOException">The operating system failed to read it.</exception>
    /// <exception cref="ModelFormatException">The file is damaged, or has none of that name.</exception>
    /// <exception cref="InvalidOperationException">Another call is writing the model's gradients.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public LookupParameter LoadLookupParameters(string path, string key, string? name = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentException.ThrowIfNullOrEmpty(key);
        using Lease lease = Lease();
        return new LookupParameter(_root, ModelFileCalls.LoadLookupParameters(lease.Pointer, path, key, name));
    }
}
