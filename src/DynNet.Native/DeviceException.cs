namespace DynNet.Native;

/// <summary>
/// A device was asked for that is not there or does not work.
/// </summary>
/// <remarks>The library never falls back to another device by itself.</remarks>
public sealed class DeviceException : DynNetException
{
    /// <summary>Makes an exception without a message of its own.</summary>
    public DeviceException()
    {
    }

    /// <summary>Makes an exception.</summary>
    /// <param name="message">What went wrong, with the numbers.</param>
    public DeviceException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an exception that another one caused.</summary>
    /// <param name="message">What went wrong, with the numbers.</param>
    /// <param name="innerException">The cause.</param>
    public DeviceException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
