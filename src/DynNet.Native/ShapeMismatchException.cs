namespace DynNet.Native;

/// <summary>
/// The shapes of an operation's operands do not fit together, or an expression does not have the shape that is needed.
/// </summary>
/// <remarks>Thrown where the operation is written, not where it is computed; the message has the shapes.</remarks>
public sealed class ShapeMismatchException : DynNetException
{
    /// <summary>Makes an exception without a message of its own.</summary>
    public ShapeMismatchException()
    {
    }

    /// <summary>Makes an exception.</summary>
    /// <param name="message">What went wrong, with the numbers.</param>
    public ShapeMismatchException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an exception that another one caused.</summary>
    /// <param name="message">What went wrong, with the numbers.</param>
    /// <param name="innerException">The cause.</param>
    public ShapeMismatchException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
