using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace DynNet.Native.Interop;

/// <summary>
/// A few native expressions, in place up to 8: what a state of a builder consists of. An LSTM of one or two layers thus
/// takes its steps without allocating.
/// </summary>
internal struct ExpressionList
{
    private readonly int _count;
    private NativeExpression[]? _many;
    private Few _few;

    internal ExpressionList(int count)
    {
        _count = count;
        _many = count > Few.Capacity ? new NativeExpression[count] : null;
    }

    /// <summary>How many there are.</summary>
    internal readonly int Count => _count;

    /// <summary>The expressions, to be filled by the call that makes them.</summary>
    [UnscopedRef]
    internal Span<NativeExpression> AsSpan() => _many ?? ((Span<NativeExpression>)_few)[.._count];

    /// <summary>The expressions.</summary>
    [UnscopedRef]
    internal readonly ReadOnlySpan<NativeExpression> AsReadOnlySpan() =>
        _many ?? ((ReadOnlySpan<NativeExpression>)_few)[.._count];

    /// <summary>Makes a copy of a list one of its own: many expressions are shared with the list copied.</summary>
    internal void MakeOwn() => _many = _many?.AsSpan().ToArray();

    [InlineArray(Capacity)]
    private struct Few
    {
        internal const int Capacity = 8;

        private NativeExpression _first;
    }
}
