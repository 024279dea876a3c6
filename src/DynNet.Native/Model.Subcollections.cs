using System.Diagnostics.CodeAnalysis;
using DynNet.Native.Interop;

namespace DynNet.Native;

// The parts of a model.
public sealed partial class Model
{
    /// <summary>
    /// Adds a sub-collection: a model whose parameters belong to this one too, under its path and a name.
    /// </summary>
    /// <param name="name">
    /// Its name, without <c>/</c> and white space. A name in use gets <c>_1</c>, <c>_2</c> and so on appended; without
    /// one it is called <c>_0</c>, <c>_1</c> and so on.
    /// </param>
    /// <returns>
    /// The sub-collection. Disposing it makes it unusable, but its parameters live on in this model.
    /// </returns>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="ArgumentException">The name is not one that a sub-collection can have.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public Model AddSubcollection(string? name = null)
    {
        using Lease lease = Lease();
        return new Model(ModelCalls.AddSubcollection(lease.Pointer, name ?? ""), _root);
    }

    /// <summary>
    /// The sub-collections in the order of their creation, those of sub-collections included: in a model that was
    /// loaded, in the order in which the file first names them. A file does not tell of those without parameters.
    /// </summary>
    /// <returns>
    /// Those of this moment. Each call makes new objects: disposing one makes it alone unusable, and none needs it.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public IReadOnlyList<Model> GetSubcollections()
    {
        using Lease lease = Lease();
        var all = new Model[ModelCalls.SubcollectionCount(lease.Pointer)];
        for (int i = 0; i < all.Length; i++)
            all[i] = new Model(ModelCalls.SubcollectionAt(lease.Pointer, i), _root);
        return Array.AsReadOnly(all);
    }

    /// <summary>The sub-collection at a path.</summary>
    /// <param name="path">
    /// Its path, such as <c>/encoder/</c>; or, without the first slash, a path below this model, such as
    /// <c>encoder/layer</c>. The last slash may be missing.
    /// </param>
    /// <returns>The sub-collection, a new object: disposing it makes it alone unusable, and it does not need
    /// it.</returns>
    /// <exception cref="KeyNotFoundException">There is none; the message lists those that there are.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public Model GetSubcollection(string path) => TryGetSubcollection(path, out Model? subcollection)
        ? subcollection
        : throw NotFound("sub-collection", FullPath(path), GetSubcollections().Select(each => each.Path));

    /// <summary>The sub-collection at a path, if there is one.</summary>
    /// <param name="path">As for <see cref="GetSubcollection"/>.</param>
    /// <param name="subcollection">The sub-collection, or null.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public bool TryGetSubcollection(string path, [NotNullWhen(true)] out Model? subcollection)
    {
        using Lease lease = Lease();
        ModelHandle? found = ModelCalls.FindSubcollection(lease.Pointer, FullPath(path));
        subcollection = found is null ? null : new Model(found, _root);
        return subcollection is not null;
    }

    private string FullPath(string path)
    {
        string full = FullName(path);
        return full[^1] == '/' ? full : full + '/';
    }
}
