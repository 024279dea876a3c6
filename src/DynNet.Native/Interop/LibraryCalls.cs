namespace DynNet.Native.Interop;

/// <summary>Calls about the library as a whole.</summary>
internal static unsafe class LibraryCalls
{
    /// <summary>The message of the latest failed call on this thread.</summary>
    internal static string LastError()
    {
        long length;
        byte* text = NativeMethods.dn_last_error(&length);
        return Text.Decode(text, length);
    }

    /// <summary>The instruction set whose kernels run.</summary>
    internal static string Isa()
    {
        long length;
        byte* text = NativeMethods.dn_device_isa(&length);
        return Text.Decode(text, length);
    }
}
