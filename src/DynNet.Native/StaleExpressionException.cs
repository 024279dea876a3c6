namespace DynNet.Native;

/// <summary>
/// An expression is used that names nothing any more, or nothing here: it was made before <see
/// cref="ComputationGraph.Renew"/>, or in a part that <see cref="ComputationGraph.Revert"/> took back, or in another
/// graph, or it is <c>default</c>.
/// </summary>
/// <remarks>It is always an error, never the value of another node.</remarks>
public sealed class StaleExpressionException : DynNetException
{
    /// <summary>Makes an exception without a message of its own.</summary>
    public StaleExpressionException()
    {
    }

    /// <summary>Makes an exception.</summary>
    /// <param name="message">What went wrong, with the numbers.</param>
    public StaleExpressionException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an exception that another one caused.</summary>
    /// <param name="message">What went wrong, with the numbers.</param>
    /// <param name="innerException">The cause.</param>
    public StaleExpressionException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
