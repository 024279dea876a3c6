using System.Buffers;
using System.Runtime.InteropServices;

namespace DynNet.Native.Interop;

/// <summary>What the generated operations with any number of operands share.</summary>
internal static class Operands
{
    /// <summary>The number of operands whose native form stays on the stack.</summary>
    internal const int OnStack = 64;

    /// <summary>An array for operands that are too many for the stack, else null.</summary>
    /// <remarks>
    /// It is given back with <see cref="Return"/>. Where an operand turns out not to be valid it is left to the garbage
    /// collector: a try block would cost every call what only that one saves.
    /// </remarks>
    internal static NativeExpression[]? Rent(int count) =>
        count > OnStack ? ArrayPool<NativeExpression>.Shared.Rent(count) : null;

    /// <summary>Gives back an array.</summary>
    internal static void Return(NativeExpression[] rented) => ArrayPool<NativeExpression>.Shared.Return(rented);

    /// <summary>Operands as a span: in place where they are an array or a list, else copied.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="operands"/> is null.</exception>
    internal static ReadOnlySpan<Expression> Span(IEnumerable<Expression> operands) => operands switch
    {
        null => throw new ArgumentNullException(nameof(operands)),
        Expression[] array => array,
        List<Expression> list => CollectionsMarshal.AsSpan(list),
        _ => operands.ToArray(),
    };
}
