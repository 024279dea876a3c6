using System.Text;

namespace DynNet.Native.Interop;

/// <summary>Text across the border: UTF-8 with a length.</summary>
internal static unsafe class Text
{
    /// <summary>The bytes of a text; none for null.</summary>
    internal static ReadOnlySpan<byte> Encode(string? text) =>
        string.IsNullOrEmpty(text) ? default : Encoding.UTF8.GetBytes(text);

    /// <summary>A text that the native side lent.</summary>
    internal static string Decode(byte* bytes, long count) =>
        count == 0 ? "" : Encoding.UTF8.GetString(bytes, checked((int)count));
}
