using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace DynNet.Native.Interop;

/// <summary>Turns the status of a native call into an exception: the one table of errors.</summary>
internal static class Status
{
    /// <summary>Throws unless the call that just returned on this thread succeeded.</summary>
    /// <param name="status">What the call returned.</param>
    /// <param name="path">The file that the call was about, if any.</param>
    [StackTraceHidden]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Check(NativeStatus status, string? path = null)
    {
        if (status != NativeStatus.Ok)
            Throw(status, path);
    }

    /// <summary>The exception for a status and its message.</summary>
    internal static Exception ToException(NativeStatus status, string message, string? path = null) => status switch
    {
        NativeStatus.Argument => new ArgumentException(message),
        NativeStatus.Shape => new ShapeMismatchException(message),
        NativeStatus.Stale => new StaleExpressionException(message),
        // Not IndexOutOfRangeException, which the framework keeps for arrays.
        NativeStatus.Index => new ArgumentOutOfRangeException(paramName: null, message),
        NativeStatus.Busy => new InvalidOperationException(message),
        // Not OutOfMemoryException: the limit is checked beforehand, so the process is sound and may go on.
        NativeStatus.Memory => new InsufficientMemoryException(message),
        NativeStatus.Format => new ModelFormatException(message),
        NativeStatus.NotFound => new FileNotFoundException(message, path),
        NativeStatus.Io => new IOException(message),
        NativeStatus.Disposed => new ObjectDisposedException(objectName: null, message),
        NativeStatus.Value => new NotFiniteNumberException(message),
        NativeStatus.Device => new DeviceException(message),
        NativeStatus.State => new InvalidOperationException(message),
        NativeStatus.Cancelled => new OperationCanceledException(message),
        NativeStatus.Internal => new DynNetException(message),
        NativeStatus.Permission => new UnauthorizedAccessException(message),
        _ => new DynNetException($"{message} (status {(int)status})"),
    };

    [DoesNotReturn]
    [StackTraceHidden]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Throw(NativeStatus status, string? path) =>
        throw ToException(status, LibraryCalls.LastError(), path);
}
