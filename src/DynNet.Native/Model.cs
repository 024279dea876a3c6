using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// What is trained: parameters, lookup parameters and sub-collections of them, with names. DyNet's
/// <c>ParameterCollection</c>.
/// </summary>
/// <remarks>
/// <para>Any number of threads may read a model at once, computing with it included. Whatever writes it (an update,
/// <see cref="Parameter.SetValues"/>, <see cref="Populate(string, string)"/>, adding parameters) must not run beside
/// that.
/// </para>
/// <para>Graphs, trainers and builders hold on to the native model that they use. So a model may be disposed, or simply
/// dropped, before them.</para>
/// </remarks>
public sealed partial class Model : IDisposable
{
    private const long DefaultSeed = 1;

    private readonly ModelHandle _handle;
    private readonly Model _root;
    private readonly Members<Parameter> _parameters;
    private readonly Members<LookupParameter> _lookupParameters;

    /// <summary>Makes an empty model.</summary>
    /// <param name="seed">Decides all random first values: one seed gives one model.</param>
    public Model(long seed = DefaultSeed)
        : this(ModelCalls.Create(seed), root: null)
    {
    }

    private Model(ModelHandle handle, Model? root)
    {
        _handle = handle;
        _root = root ?? this;
        using Lease lease = Lease();
        Path = ModelCalls.Path(lease.Pointer);
        _parameters = new(parameter => Holds(parameter.Name));
        _lookupParameters = new(parameter => Holds(parameter.Name));
    }

    /// <summary>The path that the names of the model's parameters begin with: <c>/</c>, or <c>/encoder/</c>.</summary>
    public string Path { get; }

    /// <summary>The model's own name, the last part of its path; empty for a model that is nobody's part.</summary>
    public string Name => Path[(Path.TrimEnd('/').LastIndexOf('/') + 1)..].TrimEnd('/');

    /// <summary>The parameters in the order of their creation, those of sub-collections included.</summary>
    /// <remarks>
    /// A list of this moment; what is added later is not in it. Until something is, asking again gives the same list.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public IReadOnlyList<Parameter> Parameters
    {
        get
        {
            using Lease lease = Lease();
            return ReadParameters();
        }
    }

    /// <summary>The lookup parameters in the order of their creation, those of sub-collections included.</summary>
    /// <remarks>
    /// A list of this moment; what is added later is not in it. Until something is, asking again gives the same list.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public IReadOnlyList<LookupParameter> LookupParameters
    {
        get
        {
            using Lease lease = Lease();
            return ReadLookupParameters();
        }
    }

    /// <summary>The number of trained values: the elements of all parameters and lookup tables.</summary>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public long ValueCount
    {
        get
        {
            using Lease lease = Lease();
            return ModelCalls.ValueCount(lease.Pointer);
        }
    }

    /// <summary>The number of those values that trainers update: see <see cref="Parameter.IsUpdated"/>.</summary>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public long UpdatedValueCount
    {
        get
        {
            using Lease lease = Lease();
            return ModelCalls.UpdatedValueCount(lease.Pointer);
        }
    }

    /// <summary>The norm of all gradients together, those of frozen parameters included.</summary>
    /// <exception cref="InvalidOperationException">A backward into the model is running in another thread.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public double GradientNorm
    {
        get
        {
            using Lease lease = Lease();
            return ModelCalls.GradientNorm(lease.Pointer);
        }
    }

    /// <summary>
    /// The weight decay lambda, 0 or more and less than 1: each update multiplies every value that it may change by 1 -
    /// lambda after its step, which is what DyNet's comes to. 0 by default, as in DyNet. A sub-collection has that of the
    /// model around it unless it was given one of its own.
    /// </summary>
    /// <exception cref="ArgumentException">The number is out of its range.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public double WeightDecay
    {
        get
        {
            using Lease lease = Lease();
            return ModelCalls.WeightDecay(lease.Pointer);
        }
        set
        {
            using Lease lease = Lease();
            Status.Check(NativeMethods.dn_model_set_weight_decay(lease.Pointer, value));
        }
    }

    /// <summary>The native model, for C++ code that works on it: a <c>dn_model*</c>.</summary>
    /// <remarks>Hold it with <see cref="SafeHandle.DangerousAddRef"/> while native code uses it.</remarks>
    public SafeHandle SafeHandle => _handle;

    /// <summary>The parameter at a path.</summary>
    /// <param name="path">
    /// The full name, such as <c>/encoder/W</c>; or, without the first slash, a name below this model, such as
    /// <c>W</c>.
    /// </param>
    /// <exception cref="KeyNotFoundException">There is none; the message lists those that there are.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public Parameter this[string path]
    {
        get
        {
            string name = FullName(path);
            IReadOnlyList<Parameter> all = Parameters;
            return all.FirstOrDefault(parameter => parameter.Name == name)
                ?? throw NotFound("parameter", name, all.Select(parameter => parameter.Name));
        }
    }

    /// <summary>The lookup parameter at a path.</summary>
    /// <param name="path">
    /// The full name, such as <c>/encoder/E</c>; or, without the first slash, a name below this model, such as
    /// <c>E</c>.
    /// </param>
    /// <returns>The lookup parameter.</returns>
    /// <exception cref="KeyNotFoundException">There is none; the message lists those that there are.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public LookupParameter GetLookupParameter(string path)
    {
        string name = FullName(path);
        IReadOnlyList<LookupParameter> all = LookupParameters;
        return all.FirstOrDefault(parameter => parameter.Name == name)
            ?? throw NotFound("lookup parameter", name, all.Select(parameter => parameter.Name));
    }

    /// <summary>The parameter at a path, if there is one.</summary>
    /// <param name="path">As for the indexer.</param>
    /// <param name="parameter">The parameter, or null.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public bool TryGetParameter(string path, [NotNullWhen(true)] out Parameter? parameter)
    {
        string name = FullName(path);
        parameter = Parameters.FirstOrDefault(parameter => parameter.Name == name);
        return parameter is not null;
    }

    /// <summary>The lookup parameter at a path, if there is one.</summary>
    /// <param name="path">As for <see cref="GetLookupParameter"/>.</param>
    /// <param name="parameter">The lookup parameter, or null.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public bool TryGetLookupParameter(string path, [NotNullWhen(true)] out LookupParameter? parameter)
    {
        string name = FullName(path);
        parameter = LookupParameters.FirstOrDefault(parameter => parameter.Name == name);
        return parameter is not null;
    }

    /// <summary>Adds a parameter.</summary>
    /// <param name="dim">The shape, such as <c>[8, 2]</c>; no batch.</param>
    /// <param name="initializer">How it gets its first values; <see cref="Initializer.Glorot"/> if null.</param>
    /// <param name="name">
    /// Its name, without <c>/</c> and white space. A name in use gets <c>_1</c>, <c>_2</c> and so on appended; without
    /// one it is called <c>_0</c>, <c>_1</c> and so on.
    /// </param>
    /// <returns>The parameter.</returns>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="ArgumentException">The name or the shape is not one that a parameter can have.</exception>
    /// <exception cref="ShapeMismatchException">The initializer is for another shape.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public Parameter AddParameters(Dim dim, Initializer? initializer = null, string? name = null)
    {
        using Lease lease = Lease();
        return new Parameter(
            _root, ModelCalls.AddParameters(lease.Pointer, dim, initializer ?? Initializer.Glorot(), name));
    }

    /// <summary>Adds a lookup parameter: a table of rows of one shape.</summary>
    /// <param name="rows">How many, at least 1.</param>
    /// <param name="dim">The shape of one row, such as <c>[128]</c>; no batch.</param>
    /// <param name="initializer">How it gets its first values; <see cref="Initializer.Glorot"/> if null.</param>
    /// <param name="name">
    /// Its name, without <c>/</c> and white space. A name in use gets <c>_1</c>, <c>_2</c> and so on appended; without
    /// one it is called <c>_0</c>, <c>_1</c> and so on.
    /// </param>
    /// <returns>The lookup parameter.</returns>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="ArgumentException">The name, the shape or the number of rows is impossible.</exception>
    /// <exception cref="ShapeMismatchException">The initializer is for another shape.</exception>
    /// <exception cref="InsufficientMemoryException">The memory does not suffice.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public LookupParameter AddLookupParameters(
        int rows, Dim dim, Initializer? initializer = null, string? name = null)
    {
        using Lease lease = Lease();
        return new LookupParameter(
            _root,
            ModelCalls.AddLookupParameters(lease.Pointer, rows, dim, initializer ?? Initializer.Glorot(), name));
    }

    /// <summary>
    /// Frees the model, as soon as no graph, trainer, builder or running call needs it any more. Its parameters and the
    /// spans read from them must not be used afterwards.
    /// </summary>
    public void Dispose() => _handle.Dispose();

    /// <summary>Keeps the native model alive for a call.</summary>
    /// <exception cref="ObjectDisposedException">The model is disposed, or the one that it is a part of.</exception>
    internal Lease Lease()
    {
        ObjectDisposedException.ThrowIf(_root._handle.IsClosed, this);
        return new Lease(_handle, this);
    }

    private static KeyNotFoundException NotFound(string kind, string name, IEnumerable<string> names)
    {
        string list = string.Join(", ", names);
        return new KeyNotFoundException(
            $"The model has no {kind} {name}; it has {(list.Length == 0 ? "none" : list)}.");
    }

    private bool Holds(string name) => name.StartsWith(Path, StringComparison.Ordinal);

    // A sub-collection looks through the whole's: the native side would do so for each of its own.
    private ReadOnlyCollection<Parameter> ReadParameters()
    {
        if (_root != this)
        {
            ReadOnlyCollection<Parameter> all = _root.ReadParameters();
            return _parameters.Read(_root._generation, all.Count, index => all[(int)index]);
        }
        using Lease lease = Lease();
        nint model = lease.Pointer;
        return _parameters.Read(
            _generation,
            ModelCalls.ParameterCount(model),
            index => new Parameter(this, ModelCalls.ParameterAt(model, index)));
    }

    private ReadOnlyCollection<LookupParameter> ReadLookupParameters()
    {
        if (_root != this)
        {
            ReadOnlyCollection<LookupParameter> all = _root.ReadLookupParameters();
            return _lookupParameters.Read(_root._generation, all.Count, index => all[(int)index]);
        }
        using Lease lease = Lease();
        nint model = lease.Pointer;
        return _lookupParameters.Read(
            _generation,
            ModelCalls.LookupParametersCount(model),
            index => new LookupParameter(this, ModelCalls.LookupParameterAt(model, index)));
    }

    private string FullName(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return path[0] == '/' ? path : Path + path;
    }
}
