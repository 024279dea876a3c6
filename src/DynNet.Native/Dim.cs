using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace DynNet.Native;

/// <summary>
/// The shape of a tensor: up to 7 dimensions, and the number of batch elements. Written as a collection expression:
/// <c>[8, 2]</c> is a matrix of 8 rows and 2 columns, <c>[8]</c> a column of 8, <c>[]</c> a single number.
/// </summary>
/// <remarks>
/// <para>Tensors are column-major: the first dimension varies fastest, the batch slowest.</para>
/// <para>Dimensions of size 1 at the end make no difference: <c>[8]</c> and <c>[8, 1]</c> are equal.</para>
/// <para>Immutable, so safe to use from any thread. <c>default</c> is the shape of a single number.</para>
/// </remarks>
[CollectionBuilder(typeof(Dim), nameof(Of))]
[SuppressMessage("Naming", "CA1716", Justification = "DyNet's word; that of Visual Basic is another matter.")]
public readonly partial struct Dim : IEquatable<Dim>, IEnumerable<int>
{
    /// <summary>The number of dimensions that a shape may have, the batch not counted.</summary>
    public const int MaxRank = 7;

    // Both are kept less one, so that default(Dim) is a valid shape.
    private readonly Sizes _sizesLessOne;
    private readonly int _batchLessOne;

    private Dim(ReadOnlySpan<int> sizes, int batch)
    {
        if (sizes.Length > MaxRank)
        {
            throw new ArgumentException(
                $"A shape has at most {MaxRank} dimensions, but {sizes.Length} were given.", nameof(sizes));
        }
        for (int i = 0; i < sizes.Length; i++)
        {
            if (sizes[i] < 1)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(sizes), sizes[i], $"Dimension {i} of a shape must be at least 1.");
            }
            _sizesLessOne[i] = sizes[i] - 1;
        }
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        Rank = sizes.Length;
        _batchLessOne = batch - 1;
    }

    /// <summary>The number of dimensions, 0 to 7, as the shape was written: 2 for <c>[8, 1]</c>.</summary>
    public int Rank { get; }

    /// <summary>The number of rows: the size of the first dimension, 1 if there is none.</summary>
    public int Rows => this[0];

    /// <summary>The number of columns: the size of the second dimension, 1 if there is none.</summary>
    public int Columns => this[1];

    /// <summary>The number of batch elements, at least 1.</summary>
    public int Batch => _batchLessOne + 1;

    /// <summary>The number of numbers in one batch element: the product of the dimensions.</summary>
    public long BatchElementSize
    {
        get
        {
            long size = 1;
            for (int i = 0; i < Rank; i++)
                size = checked(size * this[i]);
            return size;
        }
    }

    /// <summary>The number of numbers in the whole tensor, all batch elements together.</summary>
    public long Size => checked(BatchElementSize * Batch);

    /// <summary>The size of a dimension; 1 for those that the shape does not have.</summary>
    /// <param name="dimension">0 to 6.</param>
    /// <exception cref="ArgumentOutOfRangeException">No tensor has such a dimension.</exception>
    public int this[int dimension]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(dimension);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(dimension, MaxRank);
            return _sizesLessOne[dimension] + 1;
        }
    }

    /// <summary>
    /// Makes a shape, as <c>[8, 2]</c> does: for where C# does not know that the brackets are a shape, as in
    /// <c>Dim.Of(8, 2).WithBatch(4)</c>.
    /// </summary>
    /// <param name="sizes">At most 7, each at least 1.</param>
    /// <returns>The shape, with a batch of 1.</returns>
    /// <exception cref="ArgumentException">There are more than 7.</exception>
    /// <exception cref="ArgumentOutOfRangeException">One is less than 1.</exception>
    public static Dim Of(params ReadOnlySpan<int> sizes) => new(sizes, 1);

    /// <summary>Whether two shapes are the same, dimensions of size 1 at the end apart.</summary>
    /// <param name="left">One shape.</param>
    /// <param name="right">The other.</param>
    /// <returns>Whether they are equal.</returns>
    public static bool operator ==(Dim left, Dim right) => left.Equals(right);

    /// <summary>Whether two shapes differ in more than dimensions of size 1 at the end.</summary>
    /// <param name="left">One shape.</param>
    /// <param name="right">The other.</param>
    /// <returns>Whether they are unequal.</returns>
    public static bool operator !=(Dim left, Dim right) => !left.Equals(right);

    /// <summary>The same shape for another number of batch elements.</summary>
    /// <param name="batch">At least 1.</param>
    /// <returns>The new shape.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="batch"/> is less than 1.</exception>
    public Dim WithBatch(int batch)
    {
        Span<int> sizes = stackalloc int[MaxRank];
        for (int i = 0; i < Rank; i++)
            sizes[i] = this[i];
        return new Dim(sizes[..Rank], batch);
    }

    /// <inheritdoc/>
    public bool Equals(Dim other)
    {
        for (int i = 0; i < MaxRank; i++)
        {
            if (_sizesLessOne[i] != other._sizesLessOne[i])
                return false;
        }
        return _batchLessOne == other._batchLessOne;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Dim other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        int hash = _batchLessOne;
        for (int i = 0; i < MaxRank; i++)
            hash = HashCode.Combine(hash, _sizesLessOne[i]);
        return hash;
    }

    /// <summary>The sizes of the dimensions, the first first; the batch is not among them.</summary>
    /// <returns>An enumerator of <see cref="Rank"/> sizes.</returns>
    public IEnumerator<int> GetEnumerator()
    {
        for (int i = 0; i < Rank; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The shape as error messages and model files write it.</summary>
    /// <returns><c>{8,2}</c>, or <c>{8,2}X4</c> with a batch of 4.</returns>
    public override string ToString()
    {
        var text = new StringBuilder("{");
        for (int i = 0; i < Rank; i++)
            text.Append(i == 0 ? "" : ",").Append(CultureInfo.InvariantCulture, $"{this[i]}");
        text.Append('}');
        if (Batch > 1)
            text.Append(CultureInfo.InvariantCulture, $"X{Batch}");
        return text.ToString();
    }

    [InlineArray(MaxRank)]
    private struct Sizes
    {
        private int _first;
    }
}
