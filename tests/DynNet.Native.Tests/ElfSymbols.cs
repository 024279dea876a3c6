using System.Buffers.Binary;
using System.Text;

namespace DynNet.Native.Tests;

/// <summary>Reads which symbols a shared library of 64-bit Linux exports, without tools.</summary>
internal static class ElfSymbols
{
    private const int SectionHeaderSize = 64;
    private const int SymbolSize = 24;
    private const uint DynamicSymbols = 11;
    private const byte SectionSymbol = 3;
    private const ushort Undefined = 0;
    private const ushort Absolute = 0xfff1;

    /// <summary>The names that are defined in the library's dynamic symbol table and not local.</summary>
    /// <param name="path">a little-endian ELF file</param>
    public static IReadOnlyList<string> Exported(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        if (!file.AsSpan().StartsWith("\u007fELF\u0002\u0001"u8))
            throw new InvalidDataException($"{path} is no little-endian 64-bit ELF file");

        long sections = Int64(file, 0x28);
        int count = UInt16(file, 0x3c);
        for (int i = 0; i < count; i++)
        {
            long section = sections + (i * SectionHeaderSize);
            if (UInt32(file, section + 4) == DynamicSymbols)
            {
                // sh_link of a symbol table is the section with its names.
                long strings = sections + (UInt32(file, section + 40) * SectionHeaderSize);
                return Names(file, Int64(file, section + 24), Int64(file, section + 32), Int64(file, strings + 24));
            }
        }
        throw new InvalidDataException($"{path} has no dynamic symbols");
    }

    private static List<string> Names(byte[] file, long symbols, long size, long strings)
    {
        List<string> names = [];
        for (long symbol = symbols; symbol < symbols + size; symbol += SymbolSize)
        {
            byte info = file[symbol + 4];
            ushort section = UInt16(file, symbol + 6);
            bool local = info >> 4 == 0;
            // A version of the version script, if it has any, is an absolute symbol.
            if (local || (info & 15) == SectionSymbol || section is Undefined or Absolute)
                continue;
            int start = (int)(strings + UInt32(file, symbol));
            names.Add(Encoding.ASCII.GetString(file, start, Array.IndexOf(file, (byte)0, start) - start));
        }
        return names;
    }

    private static ushort UInt16(byte[] file, long at) => BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan((int)at));

    private static uint UInt32(byte[] file, long at) => BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan((int)at));

    private static long Int64(byte[] file, long at) => BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan((int)at));
}
