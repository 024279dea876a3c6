namespace DynNet.Native;

/// <summary>
/// A model file is damaged, incomplete, of another format, or does not hold what the model needs.
/// </summary>
/// <remarks>The message says where. The model that was to be filled is as it was.</remarks>
public sealed class ModelFormatException : DynNetException
{
    /// <summary>Makes an exception without a message of its own.</summary>
    public ModelFormatException()
    {
    }

    /// <summary>Makes an exception.</summary>
    /// <param name="message">What went wrong, with the numbers.</param>
    public ModelFormatException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an exception that another one caused.</summary>
    /// <param name="message">What went wrong, with the numbers.</param>
    /// <param name="innerException">The cause.</param>
    public ModelFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
