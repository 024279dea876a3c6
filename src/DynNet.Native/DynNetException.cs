namespace DynNet.Native;

/// <summary>
/// An error that only this library has a name for. Where .NET has one, that is thrown instead: <see
/// cref="ArgumentException"/>, <see cref="ObjectDisposedException"/>, <see cref="InsufficientMemoryException"/>, <see
/// cref="FileNotFoundException"/>, <see cref="NotFiniteNumberException"/> and so on.
/// </summary>
/// <remarks>Thrown as it is, it reports a defect of the library itself.</remarks>
public class DynNetException : Exception
{
    /// <summary>Makes an exception without a message of its own.</summary>
    public DynNetException()
    {
    }

    /// <summary>Makes an exception.</summary>
    /// <param name="message">What went wrong, with the numbers.</param>
    public DynNetException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an exception that another one caused.</summary>
    /// <param name="message">What went wrong, with the numbers.</param>
    /// <param name="innerException">The cause.</param>
    public DynNetException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
